# Target llama_server: llama.cpp's own server, built from the same source with the same options as the libraries that
# ours links, so that what bench/compare measures differs in the server alone. Kept beside those libraries' build.
set(LLAMA_SERVER_BUILD "${LLAMA_CPP_BINARY_DIR}-server")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/llama_server.path" "${LLAMA_SERVER_BUILD}/bin/llama-server")

add_custom_target(llama_server
  COMMAND ${CMAKE_COMMAND} -S ${LLAMA_CPP_SOURCE_DIR} -B ${LLAMA_SERVER_BUILD} -G Ninja
          -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
          ${llama_cpp_options} -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON
  COMMAND ${CMAKE_COMMAND} --build ${LLAMA_SERVER_BUILD} --target llama-server
  COMMENT "Building llama-server into ${LLAMA_SERVER_BUILD}; the first time takes some minutes"
  USES_TERMINAL VERBATIM)
