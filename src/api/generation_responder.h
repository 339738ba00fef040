// Turns the events of the answers to one request into its HTTP response, whole or as a stream, and the client's pace
// into credit.
// Any thread: events come from the service, on_closed and on_drained from the HTTP thread, heartbeats from the
// executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/answer_encoder.h"
#include "api/completion_log.h"
#include "http/message.h"
#include "service/completions.h"

namespace rockllama::api {

class GenerationResponder {
 public:
  struct Options {
    std::string request_id{};
    uint32_t prompts = 1;
    uint32_t choices = 1;     // told for each prompt, at least 1
    uint32_t candidates = 0;  // generations for each prompt, of which the best are told; 0 = all. Not in a stream
    bool stream = false;
    std::string caller{};
    std::string model{};  // as the client wrote it
  };
  // How the responder reaches back to the generations. Called without the responder's lock.
  struct Control {
    std::function<void()> cancel;  // all of them
    std::function<void(uint32_t choice, uint32_t tokens)> add_credit;
  };

  GenerationResponder(const Options& options, std::unique_ptr<AnswerEncoder> encoder,
                      std::shared_ptr<http::BodyWriter> writer);

  // Once; what came before it is made up for.
  void attach(Control control);
  // `choice` counts the generations: prompt by prompt, all candidates.
  void on_event(const CompletionEvent& event, uint32_t choice = 0);
  void on_closed();   // the client left: cancels
  void on_drained();  // the client took everything
  // A sign of life, if nothing was written since the last call. False when the response is complete.
  bool heartbeat();

 private:
  struct Choice {
    ChoiceAnswer answer{};  // of a whole response
    uint32_t owed = 0;      // tokens that came since credit was given
    uint32_t tokens = 0;
    bool opened = false;
    std::optional<CompletionDone> done{};
  };
  struct Credit {
    uint32_t choice;
    uint32_t tokens;
  };

  // All of these: caller holds the mutex.
  void started(const CompletionStarted& event, Choice& choice);
  void text(const CompletionText& event, uint32_t index);
  void done(const CompletionDone& event, uint32_t index);
  void all_done(const CompletionDone& total);
  void failed(const Error& error);
  void send_head(const CacheUse* cache);
  void send(std::string bytes);
  [[nodiscard]] std::string opening(uint32_t choice);
  [[nodiscard]] std::vector<Credit> take_credit();
  void log();
  // Without the mutex.
  void reach_back(const std::vector<Credit>& credits, bool cancel) const;

  const std::shared_ptr<http::BodyWriter> writer_;
  const bool stream_;
  const uint32_t told_;  // choices for each prompt
  const uint32_t candidates_;

  std::mutex mutex_;
  const std::unique_ptr<AnswerEncoder> encoder_;
  CompletionLog log_;
  Control control_;  // does not change once attached
  bool attached_ = false;
  bool over_ = false;    // the response is complete
  bool failed_ = false;  // by an error: what still runs is for nobody
  bool closed_ = false;  // the client left
  bool head_sent_ = false;
  bool quiet_ = true;            // nothing was sent since the last heartbeat
  std::vector<Choice> choices_;  // of each generation
};

}  // namespace rockllama::api
