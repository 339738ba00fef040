// Answers as /v1/responses has them. Pure but for `keep`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer_encoder.h"
#include "api/json_text.h"
#include "api/response_output.h"

namespace rockllama::api {

class ResponseEncoder : public AnswerEncoder {
 public:
  struct Options {
    std::string suffix{};                      // of the ids of the response and its items
    int64_t created = 0;                       // Unix seconds
    OrderedJson echo = OrderedJson::object();  // what is repeated of the request
    // The whole response, before its client has it; empty = it is not stored.
    std::function<void(const std::string& id, std::string json, ChatMessage answer)> keep{};
  };
  explicit ResponseEncoder(Options options);

  void set_model(const std::string& model, const std::string& /*fingerprint*/) override { model_ = model; }
  [[nodiscard]] std::string whole(const std::vector<ChoiceAnswer>& choices, const CompletionDone& done) override;
  [[nodiscard]] std::string opening(uint32_t choice) override;
  [[nodiscard]] std::string piece(uint32_t choice, const AnswerPiece& piece) override;
  [[nodiscard]] std::string choice_ending(uint32_t choice, FinishReason reason,
                                          const std::vector<std::string>& warnings) override;
  [[nodiscard]] std::string ending(const CompletionDone& done) override;
  [[nodiscard]] std::string failure(const Error& error) override;

 private:
  // A server-sent event with the next number.
  [[nodiscard]] std::string event(std::string_view type, const OrderedJson& fields);
  [[nodiscard]] std::string added(size_t index);
  [[nodiscard]] std::string delta(const ResponseOutput::News& news);
  // What says that the last of the first `items` is whole; nothing where that was said, or there is none.
  [[nodiscard]] std::string item_ending(size_t items, const char* status);
  [[nodiscard]] OrderedJson response(const char* status, OrderedJson output) const;
  // Also keeps it.
  [[nodiscard]] OrderedJson finished(FinishReason reason, const CompletionDone& done);

  const Options options_;
  const std::string id_;
  std::string model_;
  ResponseOutput output_;
  FinishReason reason_ = FinishReason::kStop;
  uint64_t events_ = 0;  // that were sent
  size_t ended_items_ = 0;
  bool opened_ = false;
};

}  // namespace rockllama::api
