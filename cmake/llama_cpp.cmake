# Provides the target llama_cpp: libllama, ggml and llama.cpp's `common`, static, with hidden symbols.
#
# It is built once per configuration at configure time, into the cache folder (ROCKLLAMA_CACHE_DIR), keyed by a hash of
# source, compiler and flags: every checkout on the machine shares that build.

include(${CMAKE_CURRENT_LIST_DIR}/llama_cpp_source.cmake)

set(llama_cpp_options
  -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DCMAKE_C_VISIBILITY_PRESET=hidden -DCMAKE_CXX_VISIBILITY_PRESET=hidden -DCMAKE_VISIBILITY_INLINES_HIDDEN=ON
  -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_TOOLS=OFF
  -DLLAMA_OPENSSL=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DGGML_CCACHE=OFF)
if(CMAKE_CROSSCOMPILING)
  list(APPEND llama_cpp_options -DGGML_NATIVE=OFF -DGGML_CPU_ARM_ARCH=${ROCKLLAMA_ARM_ARCH})
elseif(ROCKLLAMA_PORTABLE)
  list(APPEND llama_cpp_options -DGGML_NATIVE=OFF)
else()
  list(APPEND llama_cpp_options -DGGML_NATIVE=ON)
endif()
if(ROCKLLAMA_SANITIZE STREQUAL "asan")
  list(APPEND llama_cpp_options -DGGML_SANITIZE_ADDRESS=ON -DLLAMA_SANITIZE_ADDRESS=ON)
elseif(ROCKLLAMA_SANITIZE STREQUAL "tsan")
  list(APPEND llama_cpp_options -DGGML_SANITIZE_THREAD=ON -DLLAMA_SANITIZE_THREAD=ON -DGGML_OPENMP=OFF)
endif()
if(ROCKLLAMA_SANITIZE)
  # Builds in two thirds of the time.
  list(APPEND llama_cpp_options "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG" "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG")
endif()

# A native build is right only for the CPU that it was made on.
set(llama_cpp_cpu "portable")
if(CMAKE_TOOLCHAIN_FILE)
  # Not by the file's path: every checkout has one of its own.
  set(llama_cpp_cpu "${CMAKE_C_FLAGS};${CMAKE_CXX_FLAGS}")
elseif(NOT ROCKLLAMA_PORTABLE)
  execute_process(COMMAND sh -c "grep -m1 -E '^(flags|Features)' /proc/cpuinfo" OUTPUT_VARIABLE llama_cpp_cpu)
endif()
string(SHA256 llama_cpp_key "${LLAMA_CPP_SOURCE_ID};${llama_cpp_options};${CMAKE_CXX_COMPILER_ID};\
${CMAKE_CXX_COMPILER_VERSION};${CMAKE_SYSTEM_PROCESSOR};${llama_cpp_cpu}")
string(SUBSTRING "${llama_cpp_key}" 0 16 llama_cpp_key)
set(LLAMA_CPP_BUILD_ID "${llama_cpp_key}")
set(LLAMA_CPP_BINARY_DIR "${ROCKLLAMA_CACHE_DIR}/llama.cpp-build-${llama_cpp_key}")
if(CMAKE_TOOLCHAIN_FILE)
  list(APPEND llama_cpp_options -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE} -DROCKLLAMA_ARM_ARCH=${ROCKLLAMA_ARM_ARCH})
endif()

# Builds the given targets of llama.cpp where they are not there yet.
function(build_llama_cpp stamp)
  file(MAKE_DIRECTORY "${LLAMA_CPP_BINARY_DIR}")
  file(LOCK "${LLAMA_CPP_BINARY_DIR}.lock" GUARD FUNCTION TIMEOUT 3600)
  if(EXISTS "${LLAMA_CPP_BINARY_DIR}/${stamp}.done")
    return()
  endif()
  message(STATUS "Building llama.cpp (${ARGN}) once into ${LLAMA_CPP_BINARY_DIR}; this takes some minutes")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${LLAMA_CPP_SOURCE_DIR} -B ${LLAMA_CPP_BINARY_DIR} -G Ninja
            -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${llama_cpp_options}
            ${LLAMA_CPP_EXTRA_OPTIONS}
    OUTPUT_FILE "${LLAMA_CPP_BINARY_DIR}/${stamp}.log" ERROR_FILE "${LLAMA_CPP_BINARY_DIR}/${stamp}.log"
    RESULT_VARIABLE failed)
  if(NOT failed)
    execute_process(
      COMMAND ${CMAKE_COMMAND} --build ${LLAMA_CPP_BINARY_DIR} --target ${ARGN}
      OUTPUT_FILE "${LLAMA_CPP_BINARY_DIR}/${stamp}.log" ERROR_FILE "${LLAMA_CPP_BINARY_DIR}/${stamp}.log"
      RESULT_VARIABLE failed)
  endif()
  if(failed)
    message(FATAL_ERROR "llama.cpp did not build: see ${LLAMA_CPP_BINARY_DIR}/${stamp}.log")
  endif()
  file(TOUCH "${LLAMA_CPP_BINARY_DIR}/${stamp}.done")
endfunction()

build_llama_cpp(libraries llama-common llama ggml ggml-cpu ggml-base cpp-httplib)

find_package(Threads REQUIRED)
add_library(llama_cpp INTERFACE)
target_include_directories(llama_cpp SYSTEM INTERFACE
  ${LLAMA_CPP_SOURCE_DIR}/include ${LLAMA_CPP_SOURCE_DIR}/ggml/include ${LLAMA_CPP_SOURCE_DIR}/common
  ${LLAMA_CPP_SOURCE_DIR}/vendor)
file(GLOB_RECURSE llama_cpp_archives "${LLAMA_CPP_BINARY_DIR}/*.a")
target_link_libraries(llama_cpp INTERFACE
  -Wl,--start-group ${llama_cpp_archives} -Wl,--end-group Threads::Threads ${CMAKE_DL_LIBS})
# Static archives must not be exported again by what links them.
target_link_options(llama_cpp INTERFACE -Wl,--exclude-libs,ALL)
if(NOT ROCKLLAMA_SANITIZE STREQUAL "tsan")
  find_package(OpenMP)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(llama_cpp INTERFACE OpenMP::OpenMP_CXX)
  endif()
endif()
