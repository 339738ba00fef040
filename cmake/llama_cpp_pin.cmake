# Reads LLAMA_CPP_SDIST and LLAMA_CPP_SDIST_SHA256 from the file that pip is given, so that the pin stands once.
set(llama_cpp_requirements "${CMAKE_CURRENT_LIST_DIR}/../script/requirements-llama.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${llama_cpp_requirements}")
file(STRINGS "${llama_cpp_requirements}" llama_cpp_pin REGEX "^llama-cpp-python==")
if(NOT llama_cpp_pin MATCHES "^([^ ]+) --hash=sha256:([0-9a-f]+)$")
  message(FATAL_ERROR "${llama_cpp_requirements} must pin llama-cpp-python by version and one sha256")
endif()
set(LLAMA_CPP_SDIST "${CMAKE_MATCH_1}")
set(LLAMA_CPP_SDIST_SHA256 "${CMAKE_MATCH_2}")
