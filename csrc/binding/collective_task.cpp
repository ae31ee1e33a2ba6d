#include "binding/collective_task.h"

#include <utility>

#include "binding/failure.h"
#include "comm/collectives.h"
#include "core/field_agreement.h"

namespace infcl::binding {

namespace {

enum class Call { kBarrier, kAllReduce, kBroadcast, kAllGather };

struct Collective {
  std::string name;
  Call call = Call::kBarrier;
  std::string dtype;
  comm::Element element = comm::Element::kUint8;
  std::string operation;
  comm::Reduction reduction = comm::Reduction::kSum;
  int root = 0;
  int64_t length = 0;
  void* values = nullptr;
  void* into = nullptr;  // [size * length], kAllGather alone
};

// The value that belongs to a word of the request.
template <class T>
T choose(const std::string& word, const std::vector<std::pair<const char*, T>>& choices, const char* name) {
  for (const auto& [known, value] : choices)
    if (word == known) return value;
  throw RequestError("ERR_VALUE", std::string("Expected a known word for ") + name + " but received " + word);
}

comm::Element element_of(const std::string& dtype) {
  return choose<comm::Element>(dtype,
                               {{"float32", comm::Element::kFloat32},
                                {"float64", comm::Element::kFloat64},
                                {"int32", comm::Element::kInt32},
                                {"uint8", comm::Element::kUint8}},
                               "dtype");
}

napi_typedarray_type array_type(comm::Element element) {
  switch (element) {
    case comm::Element::kFloat32:
      return napi_float32_array;
    case comm::Element::kFloat64:
      return napi_float64_array;
    case comm::Element::kInt32:
      return napi_int32_array;
    case comm::Element::kUint8:
      break;
  }
  return napi_uint8_array;
}

Collective read(const RequestReader& in, int ranks) {
  Collective c;
  c.name = in.string("call");
  c.call = choose<Call>(c.name,
                        {{"barrier", Call::kBarrier},
                         {"allReduce", Call::kAllReduce},
                         {"broadcast", Call::kBroadcast},
                         {"allGather", Call::kAllGather}},
                        "call");
  if (c.call == Call::kBarrier) return c;
  c.dtype = in.string("dtype");
  c.element = element_of(c.dtype);
  c.length = in.length("values");
  c.values = in.typed_array("values", array_type(c.element), c.length);
  if (c.call == Call::kAllReduce) {
    c.operation = in.string("operation");
    c.reduction = choose<comm::Reduction>(
        c.operation,
        {{"sum", comm::Reduction::kSum}, {"min", comm::Reduction::kMin}, {"max", comm::Reduction::kMax}},
        "operation");
  } else if (c.call == Call::kBroadcast) {
    c.root = static_cast<int>(in.integer("root"));
    if (c.root >= ranks) throw RequestError("ERR_VALUE", "Expected a rank of the group for root");
  } else {
    c.into = in.typed_array("into", array_type(c.element), c.length * ranks);
  }
  return c;
}

// Names as the caller knows them.
std::vector<Field> fields_of(const Collective& c) {
  std::vector<Field> fields{{"call", c.name, ErrorCode::kValue}};
  if (c.call == Call::kBarrier) return fields;
  fields.push_back({"dtype of values", c.dtype, ErrorCode::kValue});
  fields.push_back({"values.length", std::to_string(c.length), ErrorCode::kShape});
  if (c.call == Call::kAllReduce) fields.push_back({"operation", c.operation, ErrorCode::kValue});
  if (c.call == Call::kBroadcast) fields.push_back({"root", std::to_string(c.root), ErrorCode::kValue});
  return fields;
}

class CollectiveTask final : public Task {
 public:
  CollectiveTask(Collective call, GroupRank& rank, std::shared_ptr<Retained> retained)
      : c_(std::move(call)), rank_(rank), retained_(std::move(retained)) {}

  void run() override {
    Communicator& ranks = *rank_.communicator;
    rank_.awaited = true;
    const FieldAgreement agreement(ranks, fields_of(c_), "", control());
    rank_.awaited = false;
    agreement.check();
    const size_t bytes = static_cast<size_t>(c_.length) * comm::element_size(c_.element);
    switch (c_.call) {
      case Call::kBarrier:
        return;  // the agreement has been one
      case Call::kAllReduce:
        return comm::all_reduce(ranks, c_.element, c_.reduction, c_.values, c_.length, control());
      case Call::kBroadcast:
        return comm::broadcast(ranks, c_.root, c_.values, bytes, control());
      case Call::kAllGather:
        return comm::all_gather_large(ranks, c_.values, bytes, c_.into, control());
    }
  }
  Napi::Value result(Napi::Env env) const override { return env.Undefined(); }
  // The runner stops the task through these words when its environment ends.
  Control control() const override { return {words_}; }
  void interrupt() override { rank_.fail("its Node environment ended"); }

 private:
  const Collective c_;
  GroupRank& rank_;  // TypeScript keeps the handle
  const std::shared_ptr<Retained> retained_;
  mutable int32_t words_[Control::kWords] = {0, 0, 0};
};

}  // namespace

std::unique_ptr<Task> read_collective(const RequestReader& in, GroupRank& rank,
                                      std::shared_ptr<Retained> retained) {
  Collective call = read(in, rank.communicator->size());
  return std::make_unique<CollectiveTask>(std::move(call), rank, std::move(retained));
}

}  // namespace infcl::binding
