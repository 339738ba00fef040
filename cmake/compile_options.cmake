# Warnings and sanitizers of our own code: the interface target rockllama_options.
add_library(rockllama_options INTERFACE)
# Designated initialisers name what they set; what they leave out has its default.
target_compile_options(rockllama_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies inside std::string that are not there (GCC bug 105651), and uninitialised members
  # in aggregates that are initialised by their defaults (GCC bug 105562 and its kin).
  target_compile_options(rockllama_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
# A program needs the libraries that it calls: the worker calls no libcrypto.
target_link_options(rockllama_options INTERFACE -Wl,--as-needed)
# Boost 1.74 hides its coroutine support from clang behind this definition.
target_compile_definitions(rockllama_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:BOOST_ASIO_HAS_CO_AWAIT=1>)
target_include_directories(rockllama_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(ROCKLLAMA_SANITIZE STREQUAL "asan")
  # Without -fsanitize=null, which costs a third of the build: a null pointer that is followed ends the process anyway.
  set(sanitize -fsanitize=address,undefined -fno-sanitize=null -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(ROCKLLAMA_SANITIZE STREQUAL "tsan")
  set(sanitize -fsanitize=thread)
  # g++ 12 warns that TSan does not model atomic_thread_fence, which Asio uses.
  target_compile_options(rockllama_options INTERFACE -Wno-tsan)
elseif(ROCKLLAMA_SANITIZE STREQUAL "fuzz")
  set(sanitize -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
target_compile_options(rockllama_options INTERFACE ${sanitize})
target_link_options(rockllama_options INTERFACE ${sanitize})
if(ROCKLLAMA_UNITY)
  # Several files in one are built in half the time; the debug preset and script/test --full see to it that each also builds alone.
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 24)
endif()
if(ROCKLLAMA_SANITIZE)
  # Little optimisation and line tables alone: builds in half the time and finds the same.
  if(ROCKLLAMA_SANITIZE STREQUAL "asan")
    set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O0 -g1")
  else()
    set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
  endif()
endif()
