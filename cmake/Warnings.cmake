# Every target of the project is compiled with the same language level and warnings.
set(CMAKE_C_FLAGS_RELEASE "-O3") # assertions stay on: they guard our own mistakes
option(SEQ_WERROR "A warning ends the build; off, since compilers that we do not know have warnings that we do not know" OFF)
add_library(seq_warnings INTERFACE)
target_compile_features(seq_warnings INTERFACE c_std_11)
target_compile_options(seq_warnings INTERFACE -Wall -Wextra -Wpedantic $<$<BOOL:${SEQ_WERROR}>:-Werror> -ffp-contract=off -fno-math-errno) # loops with sqrtf are vectorised
target_compile_definitions(seq_warnings INTERFACE _GNU_SOURCE)

set(SEQ_SANITIZE "" CACHE STRING "Sanitizers to build with: address, undefined, thread or a comma-separated list")
option(SEQ_FUZZ "Build the targets of tests/fuzz for clang's libFuzzer, with the address and undefined sanitizers" OFF)
if(SEQ_FUZZ)
  set(SEQ_SANITIZE "address,undefined")
  target_compile_options(seq_warnings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SEQ_SANITIZE)
  target_compile_options(seq_warnings INTERFACE -fsanitize=${SEQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CONFIG:Debug>:-O1>) # -O0 takes for ever
  if(CMAKE_C_COMPILER_ID STREQUAL GNU)
    target_compile_options(seq_warnings INTERFACE -Wno-format-truncation) # a guess that instrumented code spoils
  endif()
  if(SEQ_SANITIZE MATCHES thread AND CMAKE_C_COMPILER_ID STREQUAL GNU)
    # Fences around MPI_Barrier, which it does not know; a guess that instrumented code spoils.
    target_compile_options(seq_warnings INTERFACE -Wno-tsan -Wno-maybe-uninitialized)
  endif()
  target_link_options(seq_warnings INTERFACE -fsanitize=${SEQ_SANITIZE})
endif()
