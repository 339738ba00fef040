// Creates or replaces one cache on a loaded model: builds its states, commits them with the text, says what came of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/caches.h"
#include "service/context.h"
#include "service/model_host.h"
#include "service/state_builder.h"

namespace rockllama {

// What a commit of `request` says besides text and states.
[[nodiscard]] CacheAttributes cache_attributes(const CreateCache& request, double now);

// The line of the cache that `request` asks for: what it continues first. kNotFound and kInvalidArgument (param
// `parent`) where that cannot be had, kInvalidArgument for messages that are malformed. Executor only.
[[nodiscard]] Result<CacheLine> line_of(CacheStore* store, const CreateCache& request);
// Whether all of it is texts, which a raw rendering needs.
[[nodiscard]] bool is_text(const CacheLine& line);

class CacheWriter : public std::enable_shared_from_this<CacheWriter> {
 public:
  // `keep` lives until `done` was called.
  CacheWriter(ServiceContext* context, std::shared_ptr<ModelHost> host, CreateCache request,
              Caches::OnProgress progress, Caches::Created done, std::shared_ptr<void> keep = {});
  // Executor only.
  void run();

 private:
  [[nodiscard]] bool up_to_date();
  void choose_formats();
  [[nodiscard]] Status commit_states();
  void build_next();
  void built(StateFormat format, Result<NewState> state);
  [[nodiscard]] bool wants_raw() const;
  [[nodiscard]] static bool is_final(const Error& error);
  void commit();
  [[nodiscard]] std::string message() const;

  ServiceContext* context_;
  std::shared_ptr<ModelHost> host_;
  CreateCache request_;
  Caches::OnProgress progress_;
  Caches::Created done_;
  std::shared_ptr<void> keep_;
  std::vector<StateFormat> to_build_;
  std::vector<NewState> states_;
  CacheLine line_;
  std::string note_{};  // of the states' borders
  CacheCreated created_;
};

}  // namespace rockllama
