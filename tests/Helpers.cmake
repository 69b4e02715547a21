# What the sanitizers find in libraries, and can do nothing about.
set(SEQ_SUPPRESSIONS "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0" "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp:print_suppressions=0")

# Time limits are multiplied by this.
set(SEQ_PATIENCE 1)
if(SEQ_SANITIZE OR CMAKE_CROSSCOMPILING) # programs of another machine run under an emulator
  set(SEQ_PATIENCE 6)
endif()

# seq_add_unit_test(LAYER FILE LABEL): a cmocka program linked with seq_LAYER and what that layer uses.
function(seq_add_unit_test layer file label)
  get_filename_component(name ${file} NAME_WE)
  set(target ${layer}_${name})
  add_executable(${target} ${file})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src/${layer})
  target_link_libraries(${target} PRIVATE seq_warnings seq_test_support seq_${layer} PkgConfig::cmocka seq_hdf5 PkgConfig::zstd PkgConfig::zlib PkgConfig::utf8proc m)
  add_test(NAME ${label}.${layer}.${name} COMMAND ${target})
  math(EXPR timeout "600 * ${SEQ_PATIENCE}")
  set_tests_properties(${label}.${layer}.${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout}
    SKIP_RETURN_CODE 77 ENVIRONMENT "${SEQ_SUPPRESSIONS}")
endfunction()

# seq_add_shell_test(NAME FILE LABEL TIMEOUT): a bash script that finds the programs in its environment. Scripts that use mpirun
# share a lock: two never compete for the cores.
function(seq_add_shell_test name file label timeout)
  add_test(NAME ${label}.${name} COMMAND bash ${file})
  set(environment "SUPPORT=${CMAKE_SOURCE_DIR}/tests/support" "SOURCE=${CMAKE_SOURCE_DIR}" "BUILD=${CMAKE_BINARY_DIR}" "MPIEXEC=${MPIEXEC_EXECUTABLE}" "SHIM=$<TARGET_FILE:seq_failing_malloc>" "IO_SHIM=$<TARGET_FILE:seq_failing_io>" "HOSTILE=$<TARGET_FILE:seq_hostile>")
  foreach(program seqprep seqtrain seqsample seqpredict seqeval seqinfo)
    string(TOUPPER ${program} variable)
    list(APPEND environment "${variable}=$<TARGET_FILE:${program}>")
  endforeach()
  math(EXPR timeout "${timeout} * ${SEQ_PATIENCE}")
  if(SEQ_SANITIZE)
    list(APPEND environment "SANITIZE=${SEQ_SANITIZE}" "ASAN_OPTIONS=detect_leaks=1:verify_asan_link_order=0" ${SEQ_SUPPRESSIONS})
  endif()
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} ENVIRONMENT "${environment}" SKIP_RETURN_CODE 77)
endfunction()
