// One completion on its way: from the request to its last event. Kept alive by whatever it waits for.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/scheduler.h"
#include "service/checked_answer.h"
#include "service/completions.h"
#include "service/context.h"
#include "service/model_pool.h"

namespace rockllama {

struct CompletionFlow : std::enable_shared_from_this<CompletionFlow> {
 public:
  CompletionFlow(ServiceContext* context, CompletionRequest request, uint32_t credit, CompletionSink sink);
  void begin();  // any thread
  void cancel();
  void add_credit(uint32_t tokens);

 private:
  // Each step runs on the executor and ends in the next one or in end().
  void find_model();
  void find_caches();
  void find_cache_by_text(const ModelLease& lease);
  [[nodiscard]] Status check_afterwards(const Capabilities& capabilities);
  void submit();
  void start(const protocol::Prepared& prepared);
  void end_counted(const ModelLease& lease, const protocol::Prepared& prepared);
  [[nodiscard]] UniqueFd open_state(const ModelLease& lease, const StateKey& key);
  void check_wait_after(double wait_ms);
  void check_wait();

  void on_event(const JobEvent& event);
  void on_started(const protocol::Started& started);
  void take_use(const CacheUse& use);
  void on_tokens(const protocol::Tokens& tokens);
  [[nodiscard]] bool tell_checked(const protocol::Finished& finished);
  void tell_first_try();
  void on_finished(const protocol::Finished& finished);
  [[nodiscard]] CompletionDone done_with(const protocol::Finished& finished) const;
  void count_use();
  void on_error(Error error);
  // Gives the last event, once; later ones are dropped.
  void end(const CompletionEvent& last);
  void withdraw_refused_state(const ModelLease& lease);
  void rebuild_missing_state(const ModelLease& lease);

  [[nodiscard]] StateFormat format() const;
  [[nodiscard]] std::vector<std::string> wanted_caches() const;
  [[nodiscard]] bool brings_system_message() const;

  ServiceContext* context_;
  CompletionRequest request_;
  const uint32_t credit_;
  CompletionSink sink_;
  const double began_ms_;

  std::vector<std::string> default_caches_;  // of the alias, else of the model or the server
  std::vector<std::string> warnings_;
  std::string ignored_sampling_;  // names of fields
  std::string fingerprint_;       // of the model and its engine
  std::vector<CacheReference> references_;
  std::string no_state_reason_;  // what was found out after prepare
  std::vector<StateKey> state_;  // none or one: what the worker asked for
  // An answer that is checked when it is whole, and the try before where it was asked for again.
  struct FirstTry {
    protocol::Finished finished;
    CacheUse cache;
  };
  std::optional<CheckedAnswer> checked_;
  std::optional<FirstTry> first_try_;
  CacheUse cache_;
  uint32_t prompt_tokens_ = 0;
  uint32_t state_tokens_ = 0;  // that the state which was chosen serves
  double first_text_ms_ = 0;

  std::mutex mutex_;  // guards what other threads may meet
  bool ended_ = false;
  bool cancelled_ = false;
  bool timed_out_ = false;
  RequestId id_ = 0;  // once submitted
  double submitted_ms_ = 0;
  std::weak_ptr<ModelHost> host_;  // of the request in the scheduler
  std::string model_;
  ModelLease lease_;
};

}  // namespace rockllama
