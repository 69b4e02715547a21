# install: programs (seq_add_program), man pages and shell completions generated from the option tables (by the programs, so
# not where they cannot run).
# uninstall: removes what the last install wrote.
foreach(program seqprep seqtrain seqsample seqpredict seqeval seqinfo)
  if(TARGET ${program} AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
    add_custom_command(
      OUTPUT ${CMAKE_BINARY_DIR}/doc/${program}.1 ${CMAKE_BINARY_DIR}/doc/${program}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/doc
      COMMAND ${program} --man > ${CMAKE_BINARY_DIR}/doc/${program}.1
      COMMAND ${program} --completion > ${CMAKE_BINARY_DIR}/doc/${program}
      DEPENDS ${program} VERBATIM)
    list(APPEND documents ${CMAKE_BINARY_DIR}/doc/${program}.1 ${CMAKE_BINARY_DIR}/doc/${program})
    install(FILES ${CMAKE_BINARY_DIR}/doc/${program}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${CMAKE_BINARY_DIR}/doc/${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  endif()
endforeach()
add_custom_target(documents ALL DEPENDS ${documents})
add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -DMANIFEST=${CMAKE_BINARY_DIR}/install_manifest.txt -P ${CMAKE_SOURCE_DIR}/cmake/Uninstall.cmake)
