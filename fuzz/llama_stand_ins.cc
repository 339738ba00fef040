// What llama.cpp's code for chats takes from the rest of llama.cpp, which is not linked into the fuzzers: texts are
// handled as there, and nobody asks a model, because there is none.
#include <common.h>
#include <ggml.h>
#include <llama.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

std::string string_join(const std::vector<std::string>& values, const std::string& separator) {
  std::string joined;
  for (size_t i = 0; i < values.size(); ++i) joined += (i == 0 ? "" : separator) + values[i];
  return joined;
}

std::vector<std::string> string_split(const std::string& text, const std::string& delimiter) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(delimiter); end != std::string::npos; end = text.find(delimiter, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + delimiter.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string string_repeat(const std::string& text, size_t count) {
  std::string repeated;
  for (size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

void string_replace_all(std::string& text, const std::string& search, const std::string& replacement) {
  if (search.empty()) return;
  for (size_t at = text.find(search); at != std::string::npos; at = text.find(search, at + replacement.size())) {
    text.replace(at, search.size(), replacement);
  }
}

bool tty_can_use_colors() { return false; }

std::vector<llama_token> common_tokenize(const llama_vocab*, const std::string&, bool, bool) { std::abort(); }
std::string common_token_to_piece(const llama_vocab*, llama_token, bool) { std::abort(); }

extern "C" {

void ggml_abort(const char* file, int line, const char* format, ...) {
  std::fprintf(stderr, "%s:%d: ", file, line);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::abort();
}

const char* llama_model_chat_template(const llama_model*, const char*) { std::abort(); }
const llama_vocab* llama_model_get_vocab(const llama_model*) { std::abort(); }
llama_token llama_vocab_bos(const llama_vocab*) { std::abort(); }
llama_token llama_vocab_eos(const llama_vocab*) { std::abort(); }
bool llama_vocab_get_add_bos(const llama_vocab*) { std::abort(); }
bool llama_vocab_get_add_eos(const llama_vocab*) { std::abort(); }
int32_t llama_chat_apply_template(const char*, const llama_chat_message*, size_t, bool, char*, int32_t) {
  std::abort();
}
}
