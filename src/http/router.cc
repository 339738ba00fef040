#include "http/router.h"

#include <algorithm>

#include "http/target.h"

namespace rockllama::http {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  for (;;) {
    const auto end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

bool is_placeholder(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (is_placeholder(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  }
  return true;
}

// Whether `a` is more literal than `b`, the first segments counting most.
bool more_literal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_placeholder(a[i]) != is_placeholder(b[i])) return is_placeholder(b[i]);
  }
  return false;
}

// For a guard that is asked beforehand: the server itself words the refusal.
class SilentWriter : public BodyWriter {
 public:
  void respond(ResponseHead, std::string) override {}
  void begin(ResponseHead) override {}
  void write(std::string) override {}
  void finish() override {}
  [[nodiscard]] size_t pending_bytes() const override { return 0; }
  void watch(std::function<void()>, std::function<void()>) override {}
};

}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler, std::optional<BodyFile> body_file) {
  if (wrap_) handler = wrap_(std::move(handler));
  if (guard_) {
    handler = [guard = guard_, handler = std::move(handler)](const auto& request, const auto& writer) {
      if (guard(*request, *writer)) handler(request, writer);
    };
    if (body_file) {
      body_file->admits = [guard = guard_](Request& request) {
        SilentWriter nobody;
        return guard(request, nobody);
      };
    }
  }
  routes_.push_back(
      {std::move(method), std::string(pattern), split(pattern), std::move(handler), std::move(body_file)});
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Route& route : routes_) all.emplace_back(route.method, route.pattern);
  return all;
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  const auto segments = split(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const Route* best = nullptr;
  Match match;
  for (const auto& route : routes_) {
    if (!fits(route.segments, segments)) continue;
    if (match.allowed.find(route.method) == std::string::npos) {
      match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
    }
    if (route.method == wanted && (best == nullptr || more_literal(route.segments, best->segments))) best = &route;
  }
  if (best == nullptr) return match;
  match.handler = &best->handler;
  if (best->body_file) match.body_file = &*best->body_file;
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto& name = best->segments[i];
    if (is_placeholder(name)) {
      match.path_values.emplace_back(name.substr(1, name.size() - 2), percent_decode(segments[i]));
    }
  }
  return match;
}

}  // namespace rockllama::http
