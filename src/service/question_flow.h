// One question on its way: from the request to its answer. Kept alive by whatever it waits for.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "scheduler/scheduler.h"
#include "service/context.h"
#include "service/model_pool.h"
#include "service/questions.h"

namespace rockllama {

class QuestionFlow : public std::enable_shared_from_this<QuestionFlow> {
 public:
  QuestionFlow(ServiceContext* context, QuestionRequest request, QuestionSink sink);
  void begin();  // any thread, as the next
  void cancel();

 private:
  // These run on the executor.
  void find_model();
  void submit(const ModelLease& lease);
  void check_wait_after(double wait_ms);
  void check_wait();

  void on_event(const JobEvent& event);
  [[nodiscard]] bool ended();
  void end(Result<QuestionDone> result);

  ServiceContext* context_;
  QuestionRequest request_;
  QuestionSink sink_;
  std::string model_;

  std::mutex mutex_;  // guards what follows
  ModelLease lease_;
  RequestId id_ = 0;
  double submitted_ms_ = 0;
  bool ended_ = false;
};

}  // namespace rockllama
