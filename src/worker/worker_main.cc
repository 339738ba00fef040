// rockllama-worker --fd N: answers one server over the socket N, which it inherited.
#include <sys/prctl.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>

#include "protocol/frame_channel.h"
#include "worker/session.h"

namespace {

std::optional<int> socket_number(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--fd") return std::nullopt;
  const std::string_view text = argv[2];
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 3) return std::nullopt;
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<int> number = socket_number(argc, argv);
  if (!number) {
    std::fprintf(stderr, "rockllama-worker is started by rockllama; usage: rockllama-worker --fd N\n");
    return 2;
  }
  // However the server ends. Had it ended before this call, its end of the socket is closed, and the session ends too.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Ctrl-C reaches the whole group, and a service manager signals every process: the server decides what follows.
  for (const int ignored : {SIGINT, SIGTERM, SIGPIPE}) static_cast<void>(std::signal(ignored, SIG_IGN));

  rockllama::protocol::FrameChannel channel{rockllama::UniqueFd(*number)};
  return rockllama::Session(&channel).run();
}
