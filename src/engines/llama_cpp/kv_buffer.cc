#include "engines/llama_cpp/kv_buffer.h"

#include <algorithm>

#include "base/clock.h"
#include "engine/cut_plan.h"

namespace rockllama {
namespace {

// The automatic prefix that a resident is; 0 = it is a state of a file.
uint64_t automatic_id(const std::string& resident_id) {
  return resident_id.starts_with('#') ? std::stoull(resident_id.substr(1)) : 0;
}

}  // namespace

KvBuffer::KvBuffer(llama_context* context, const KvBufferSettings& settings, EngineSpeeds* speeds, Hooks hooks)
    : context_(context),
      memory_(llama_get_memory(context)),
      settings_(settings),
      speeds_(speeds),
      hooks_(std::move(hooks)),
      ledger_(settings.limits),
      automatic_(
          settings.automatic, settings.layout, speeds,
          {.is_resident = [this](const AutomaticPrefix& one) { return ledger_.find(one.resident_id()) != nullptr; },
           .offer = hooks_.offer}) {}

// States that cannot be cut cannot be shared while one of them grows.
KvBuffer::Admission KvBuffer::consider(const GenerationTask& task, std::span<const RunningPrefix> running) const {
  PrefixChoice choice = choose_prefix(task, ledger_, automatic_, settings_.automatic.whole_only);
  if (automatic_.enabled() && !settings_.automatic.whole_only) {
    const FollowChoice followed = choose_running(task, running, choice);
    if (followed.wait) return {.follows = true};
    if (followed.choice.running >= 0) choice = followed.choice;
  }
  return {.fit = ledger_.fit(cell_request(task, choice)), .choice = choice};
}

Placement KvBuffer::place(const GenerationTask& task, const PrefixChoice& choice) {
  // What makes room for others must not be what this one needs.
  if (AutomaticPrefix* prefix = automatic_.find(choice.automatic)) prefix->use.in_use = true;
  Placement placement = place_chosen(task, choice);
  if (AutomaticPrefix* prefix = automatic_.find(choice.automatic)) prefix->use.in_use = false;
  return placement;
}

Placement KvBuffer::place_chosen(const GenerationTask& task, const PrefixChoice& choice) {
  if (ledger_.alone()) clear_for(choice);
  if (choice.running >= 0) return place_beside(task, choice);
  if (choice.resident_id.empty()) return place_text(task, choice.reason);
  if (ledger_.find(choice.resident_id) != nullptr) {
    Placement placement = place_over(task, choice);
    placement.cache.tier = CacheTier::kResident;
    return placement;
  }
  const double begin = steady_ms();
  if (Status restored = restore(task, choice); !restored) {
    Placement placement = place_text(task, restored.error().message);
    placement.cache.state_refused = choice.automatic == 0 && restored.error().code == ErrorCode::kCorrupt;
    return placement;
  }
  const double restore_ms = steady_ms() - begin;
  Placement placement = place_over(task, choice);
  placement.cache.tier = choice.automatic != 0 ? CacheTier::kMemory : CacheTier::kDisk;
  placement.cache.restore_ms = restore_ms;
  return placement;
}

// Leaves only the prefix, if it lies where it would be restored to, or if it cannot be restored.
void KvBuffer::clear_for(const PrefixChoice& choice) {
  const Resident* resident = ledger_.find(choice.resident_id);
  const bool stays = resident != nullptr && (resident->at_cell_zero || !can_return(*resident, choice));
  for (const std::string& id : ledger_.residents()) {
    if (!stays || id != choice.resident_id) leave(id);
  }
  if (!stays) llama_memory_clear(memory_, false);
}

bool KvBuffer::can_return(const Resident& resident, const PrefixChoice& choice) {
  return choice.automatic == 0 ? choice.restorable : copy_to_memory(resident);
}

Status KvBuffer::restore(const GenerationTask& task, const PrefixChoice& choice) {
  make_room(choice.state_tokens, 2, choice.resident_id);
  const int32_t sequence = ledger_.add_resident(choice.resident_id, choice.state_tokens, ledger_.alone());
  const StateTarget target{context_, sequence, choice.state_tokens};
  Status restored =
      choice.automatic != 0 ? restore_from_memory(target, choice.automatic) : restore_from_file(target, *task.prefix);
  if (!restored) ledger_.remove_resident(choice.resident_id);
  return restored;
}

// What this process copied itself needs no check.
Status KvBuffer::restore_from_memory(const StateTarget& target, uint64_t id) {
  const Payload* payload = automatic_.copy(id);
  if (payload == nullptr) return fail(ErrorCode::kInternal, "The prefix left the memory.");
  const double begin = steady_ms();
  Status restored = restore_payload(target, payload->bytes(), {});
  if (restored) speeds_->memory_bytes.add(static_cast<double>(payload->bytes().size()), steady_ms() - begin);
  return restored;
}

Status KvBuffer::restore_from_file(const StateTarget& target, const PrefixState& prefix) {
  hooks_.before_restore(prefix.key.id);
  const double begin = steady_ms();
  const Result<uint64_t> bytes = restore_file(target, prefix.file.get(), settings_.layout);
  if (!bytes) return fail(bytes.error());
  speeds_->file_bytes.add(static_cast<double>(*bytes), steady_ms() - begin);
  return {};
}

Placement KvBuffer::place_text(const GenerationTask& task, std::string reason) {
  const bool alone = ledger_.alone();
  const uint32_t cells = cell_request(task, {}).tokens;
  make_room(cells, 1, {});
  Placement placement{.sequence = ledger_.add_generation(cells, {}, 0),
                      .cache = {.name = task.cache_name},
                      .cuts = task.cuts,
                      .generated_from = static_cast<uint32_t>(task.tokens.size()),
                      .at_cell_zero = alone};
  placement.cache.tier = task.cache_name.empty() ? CacheTier::kNone : CacheTier::kText;
  placement.cache.reason = std::move(reason);
  return placement;
}

Placement KvBuffer::place_over(const GenerationTask& task, const PrefixChoice& choice) {
  const uint32_t cells = cell_request(task, choice).tokens;
  const bool alone = ledger_.alone();
  const Resident shared = *ledger_.find(choice.resident_id);
  make_room(0, 1, choice.resident_id);
  Placement placement;
  placement.at_cell_zero = alone && shared.at_cell_zero;
  describe_pieces(task, choice, &placement);
  automatic_.count_use(choice.automatic);
  placement.sequence = ledger_.add_generation(cells, choice.resident_id, choice.reuse_tokens);
  llama_memory_seq_cp(memory_, shared.sequence, placement.sequence, 0, static_cast<llama_pos>(choice.reuse_tokens));
  // Alone, not even the cells of a tail that is not used may be in the buffer.
  if (alone && choice.reuse_tokens < shared.tokens) leave(choice.resident_id);
  make_room(0, 0, choice.resident_id);
  make_room(0, 0, {});
  placement.cache.name = task.cache_name;
  placement.cache.tokens = choice.reuse_tokens;
  placement.cache.reason = choice.reason;
  return placement;
}

// Its cells are those that a running generation has prefilled.
Placement KvBuffer::place_beside(const GenerationTask& task, const PrefixChoice& choice) {
  const uint32_t cells = cell_request(task, choice).tokens;
  make_room(cells - choice.reuse_tokens, 1, {});
  Placement placement{.sequence = ledger_.add_follower(cells, choice.running, choice.reuse_tokens),
                      .cuts = task.cuts,
                      .generated_from = static_cast<uint32_t>(task.tokens.size())};
  llama_memory_seq_cp(memory_, choice.running, placement.sequence, 0, static_cast<llama_pos>(choice.reuse_tokens));
  placement.cache = {.name = task.cache_name, .tier = CacheTier::kResident, .tokens = choice.reuse_tokens};
  return placement;
}

// The pieces behind a point that is no cut of the task's plan are counted from there.
void KvBuffer::describe_pieces(const GenerationTask& task, const PrefixChoice& choice, Placement* placement) const {
  const auto size = static_cast<uint32_t>(task.tokens.size());
  const uint32_t reused = choice.reuse_tokens;
  const bool is_cut = std::find(task.cuts.begin(), task.cuts.end(), reused) != task.cuts.end();
  const AutomaticPrefix* prefix = automatic_.index().find(choice.automatic);
  const bool own_is_automatic = choice.automatic == 0 && task.prefix->automatic;
  placement->cuts = task.cuts;
  placement->generated_from = own_is_automatic ? 0 : size;
  placement->exact_tokens = prefix != nullptr ? std::min(prefix->exact_tokens, reused) : own_is_automatic ? 0 : reused;
  const bool over_generated = prefix != nullptr && reused > prefix->generated_from;
  if (over_generated) placement->generated_from = prefix->generated_from;
  if (is_cut && !over_generated) return;
  placement->cuts.clear();
  if (prefix != nullptr) {
    std::copy_if(prefix->cuts.begin(), prefix->cuts.end(), std::back_inserter(placement->cuts),
                 [reused](uint32_t cut) { return cut < reused; });
  }
  placement->cuts.push_back(reused);
  const std::vector<uint32_t> rest = block_cuts(reused, size, settings_.block_tokens);
  placement->cuts.insert(placement->cuts.end(), rest.begin(), rest.end());
}

void KvBuffer::release(int32_t sequence) {
  llama_memory_seq_rm(memory_, sequence, -1, -1);
  ledger_.remove_generation(sequence);
  leave_idle();
}

void KvBuffer::keep(int32_t sequence, AutomaticPrefix prefix, bool at_cell_zero) {
  const uint32_t tokens = prefix.size();
  const bool is_there = llama_memory_seq_pos_max(memory_, sequence) + 1 == static_cast<llama_pos>(tokens);
  if (!automatic_.enabled() || !is_there) return release(sequence);
  uint64_t id = 0;
  const std::vector<uint64_t> replaced = automatic_.add(std::move(prefix), &id);
  ledger_.keep_generation(sequence, automatic_.find(id)->resident_id(), tokens, at_cell_zero);
  for (const uint64_t one : replaced) {
    const std::string resident_id = AutomaticPrefix{.id = one}.resident_id();
    if (ledger_.find(resident_id) != nullptr) remove(resident_id);
  }
  leave_idle();
}

void KvBuffer::drop_residents() {
  for (const std::string& id : ledger_.residents()) leave(id);
}

bool KvBuffer::copy_one() {
  for (const std::string& id : ledger_.residents()) {
    const uint64_t automatic = automatic_id(id);
    if (automatic != 0 && automatic_.wants_copy(automatic) && copy_to_memory(*ledger_.find(id))) return true;
  }
  return false;
}

bool KvBuffer::copy_to_memory(const Resident& resident) {
  const uint64_t id = automatic_id(resident.id);
  if (automatic_.find(id) == nullptr) return false;
  return automatic_.copy(id) != nullptr || automatic_.make_copy(id, context_, resident.sequence);
}

// An automatic prefix for which there is no room in memory is lost.
void KvBuffer::leave(const std::string& id) {
  const uint64_t automatic = automatic_id(id);
  const bool copied = automatic != 0 && copy_to_memory(*ledger_.find(id));
  remove(id);
  if (automatic != 0 && !copied) automatic_.forget(automatic);
}

void KvBuffer::leave_idle() {
  while (const auto id = ledger_.leaves_idle()) leave(*id);
}

void KvBuffer::make_room(uint32_t cells, size_t sequences, const std::string& keep) {
  while (const auto id = ledger_.leaves_for(cells, sequences, keep)) leave(*id);
}

void KvBuffer::remove(const std::string& id) { llama_memory_seq_rm(memory_, ledger_.remove_resident(id), -1, -1); }

EngineFigures KvBuffer::figures() const {
  EngineFigures figures;
  for (const AutomaticPrefix& prefix : automatic_.index().all()) {
    const bool resident = ledger_.find(prefix.resident_id()) != nullptr;
    figures.resident_prefixes += resident && !ledger_.in_use(prefix.resident_id()) ? 1 : 0;
    figures.memory_prefixes += resident ? 0 : 1;
  }
  figures.memory_bytes = automatic_.copied_bytes();
  return figures;
}

}  // namespace rockllama
