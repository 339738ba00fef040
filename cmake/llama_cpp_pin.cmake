# The one place that CMake reads the pin from; script/requirements-llama.txt holds the same hash for pip.
set(LLAMA_CPP_SDIST "llama-cpp-python==0.3.36")
set(LLAMA_CPP_SDIST_SHA256 "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e")
