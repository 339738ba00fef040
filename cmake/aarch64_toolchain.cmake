# Cross-builds for aarch64 boards on Debian: g++-aarch64-linux-gnu, libraries as :arm64 packages (script/bootstrap --aarch64).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# What Cortex-A76 and A55 (RK3588, RK3582) both have; another value of ROCKLLAMA_ARM_ARCH is for another board.
set(ROCKLLAMA_ARM_ARCH "armv8.2-a+dotprod+fp16" CACHE STRING "What g++ -march is given")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ROCKLLAMA_ARM_ARCH)
set(CMAKE_C_FLAGS_INIT "-march=${ROCKLLAMA_ARM_ARCH}")
set(CMAKE_CXX_FLAGS_INIT "-march=${ROCKLLAMA_ARM_ARCH}")

# pkg-config on the build machine, for the board's libraries alone.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
# Runs what is built, where tests are.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
