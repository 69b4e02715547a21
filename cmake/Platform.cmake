# Where seqtrain runs: Linux, 64-bit, little-endian, on glibc 2.28 or newer, or musl. Anything else is refused here, in one sentence.
set(SEQ_ELSEWHERE "Elsewhere it runs in a Linux container (docker run -it debian:12), in a virtual machine or, on Windows, in WSL 2.")
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "seqtrain runs on 64-bit, little-endian Linux only, and this is ${CMAKE_SYSTEM_NAME}. ${SEQ_ELSEWHERE}")
endif()
include(CheckCSourceCompiles)

# seq_ask(VARIABLE CODE): whether it compiles. Asked anew when another compiler is given.
macro(seq_ask variable code)
  check_c_source_compiles("${code}" ${variable})
endmacro()

# Once there is a compiler.
macro(seq_check_platform)
  seq_ask(SEQ_LITTLE_ENDIAN_64 "
    #if !defined __linux__ || __SIZEOF_POINTER__ != 8 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error
    #endif
    int main(void) { return 0; }")
  if(NOT SEQ_LITTLE_ENDIAN_64)
    message(FATAL_ERROR "seqtrain runs on 64-bit, little-endian Linux only, and ${CMAKE_C_COMPILER} makes programs for something else (${CMAKE_SYSTEM_PROCESSOR}, ${CMAKE_SIZEOF_VOID_P} bytes a pointer), or none at all. ${SEQ_ELSEWHERE}")
  endif()
  if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_C_COMPILER_VERSION VERSION_LESS 8)
    message(FATAL_ERROR "seqtrain needs gcc 8 or newer (or clang 14), and ${CMAKE_C_COMPILER} is ${CMAKE_C_COMPILER_VERSION}: name a newer one (CC=gcc-12 cmake ..., `module load gcc`, conda's c-compiler) and begin with an empty build folder.")
  endif()
  seq_ask(SEQ_GLIBC "
    #include <features.h>
    #ifndef __GLIBC__
    #error
    #endif
    int main(void) { return 0; }")
  seq_ask(SEQ_NEW_LIBC "
    #include <features.h>
    #if defined __GLIBC__ && !__GLIBC_PREREQ(2, 28)
    #error
    #endif
    int main(void) { return 0; }")
  if(NOT SEQ_NEW_LIBC)
    message(FATAL_ERROR "seqtrain needs glibc 2.28 or newer: use a newer Linux, a container, or conda with sysroot_linux-64 2.28.")
  endif()
  if(NOT SEQ_GLIBC)
    message(STATUS "This C library is not glibc: seqtrain compiles with musl, and has not been tried whole")
  endif()
  seq_ask(SEQ_X86_64 "
    #ifndef __x86_64__
    #error
    #endif
    int main(void) { return 0; }")
  # With the assembler, which may be older than the compiler. Where it fails, the kernels avx512bf16 are not built.
  if(SEQ_X86_64)
  set(CMAKE_REQUIRED_FLAGS "-mavx512f -mavx512bf16")
  seq_ask(SEQ_AVX512BF16 "
    #include <immintrin.h>
    __m512 sums, a;
    int main(void) { sums = _mm512_dpbf16_ps(sums, (__m512bh)a, (__m512bh)a); return 0; }")
  unset(CMAKE_REQUIRED_FLAGS)
  endif()
  if(SEQ_AVX512BF16)
    add_compile_definitions(SEQ_AVX512BF16)
  endif()
endmacro()
