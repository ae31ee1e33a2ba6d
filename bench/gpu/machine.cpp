#include "machine.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "core/settings.h"
#include "cuda/driver/device.h"
#include "cuda/launcher.h"
#include "library.h"

namespace infcl::bench {

namespace {

// nvml.h
constexpr unsigned kClockSm = 1, kClockMemory = 2, kTemperatureOfGpu = 0;

// First line that a command prints, or nothing.
std::string first_line(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (!pipe) return {};
  std::array<char, 512> line{};
  const bool read = std::fgets(line.data(), line.size(), pipe) != nullptr;
  pclose(pipe);
  std::string text = read ? line.data() : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// The management library, started, and its handle of one card. Null handle: it cannot say.
class Nvml {
 public:
  explicit Nvml(const std::string& bus_id) : library_({"libnvidia-ml.so.1"}) {
    if (!library_.has("nvmlInit_v2") || !library_.has("nvmlDeviceGetHandleByPciBusId_v2") || bus_id.empty())
      return;
    started_ = library_.call("nvmlInit_v2") == 0;
    if (started_ && library_.call("nvmlDeviceGetHandleByPciBusId_v2", bus_id.c_str(), &device_) != 0)
      device_ = nullptr;
  }
  ~Nvml() {
    if (started_ && library_.has("nvmlShutdown")) library_.call("nvmlShutdown");
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  explicit operator bool() const { return device_ != nullptr; }

  template <class... A>
  unsigned number(const char* symbol, A... arguments) const {
    unsigned value = 0;
    if (!device_ || !library_.has(symbol)) return 0;
    return library_.call(symbol, device_, arguments..., &value) == 0 ? value : 0;
  }

  std::string driver_version() const {
    std::array<char, 96> text{};
    const char* symbol = "nvmlSystemGetDriverVersion";
    if (!started_ || !library_.has(symbol)) return {};
    const unsigned size = text.size();
    return library_.call(symbol, text.data(), size) == 0 ? text.data() : "";
  }

 private:
  Library library_;
  bool started_ = false;
  void* device_ = nullptr;
};

std::string ask_nvidia_smi(const Card& card, const std::string& fields) {
  if (card.bus_id.empty()) return {};
  return first_line("nvidia-smi --query-gpu=" + fields + " --format=csv,noheader,nounits -i " + card.bus_id);
}

std::string find_bus_id(const Library& driver) {
  std::array<char, 32> text{};
  const char* symbol = "cuDeviceGetPCIBusId";
  int device = 0;
  if (!driver.has(symbol) || driver.call("cuDeviceGet", &device, 0) != 0) return {};
  const int size = text.size();
  return driver.call(symbol, text.data(), size, device) == 0 ? text.data() : "";
}

}  // namespace

Card read_card() {
  const cuda::DeviceTraits traits = cuda::device_traits(0);  // starts the driver
  const cuda::DeviceContext context(0);
  const cuda::DeviceContext::Scope current(context);
  const cuda::MemoryInfo memory = cuda::memory_info();
  Card card{traits.name,
            traits.capability,
            traits.multiprocessors,
            traits.l2_bytes,
            memory.total,
            memory.free,
            {},
            {},
            {},
            {},
            {}};
  const cuda::Kernels kernels(traits.capability, settings_from_environment().cuda_path);
  card.kernels = kernels.image();
  card.instruction_set = kernels.instruction_set();
  const Library driver = Library::cuda_driver();
  int version = 0;
  if (driver.has("cuDriverGetVersion") && driver.call("cuDriverGetVersion", &version) == 0)
    card.cuda_version = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  card.bus_id = find_bus_id(driver);
  card.driver_version = Nvml(card.bus_id).driver_version();
  if (card.driver_version.empty()) card.driver_version = ask_nvidia_smi(card, "driver_version");
  return card;
}

void print(const Card& c) {
  std::printf("driver              %s, CUDA %s\n",
              c.driver_version.empty() ? "(version unknown)" : c.driver_version.c_str(),
              c.cuda_version.empty() ? "(version unknown)" : c.cuda_version.c_str());
  std::printf("device              %s\n", c.name.c_str());
  std::printf("compute capability  %d.%d, %d multiprocessors, L2 of %.1f MiB\n", c.capability / 10,
              c.capability % 10, c.multiprocessors, static_cast<double>(c.l2_bytes) / (1 << 20));
  std::printf("kernels             %s; products use %s\n", c.kernels.c_str(), c.instruction_set.c_str());
  std::printf("memory              %.2f GiB, %.2f of them free\n",
              static_cast<double>(c.memory_bytes) / (1 << 30), static_cast<double>(c.free_bytes) / (1 << 30));
}

Clocks read_clocks(const Card& card) {
  Clocks c;
  if (const Nvml nvml(card.bus_id); nvml) {
    c.sm_mhz = nvml.number("nvmlDeviceGetClockInfo", kClockSm);
    c.memory_mhz = nvml.number("nvmlDeviceGetClockInfo", kClockMemory);
    c.max_sm_mhz = nvml.number("nvmlDeviceGetMaxClockInfo", kClockSm);
    c.max_memory_mhz = nvml.number("nvmlDeviceGetMaxClockInfo", kClockMemory);
    c.watts = nvml.number("nvmlDeviceGetPowerUsage") / 1e3;
    c.limit_watts = nvml.number("nvmlDeviceGetEnforcedPowerLimit") / 1e3;
    c.celsius = nvml.number("nvmlDeviceGetTemperature", kTemperatureOfGpu);
    return c;
  }
  const std::string line = ask_nvidia_smi(card,
                                          "clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.draw,"
                                          "enforced.power.limit,temperature.gpu");
  Clocks s;
  const int found = std::sscanf(line.c_str(), "%u, %u, %u, %u, %lf, %lf, %u", &s.sm_mhz, &s.memory_mhz,
                                &s.max_sm_mhz, &s.max_memory_mhz, &s.watts, &s.limit_watts, &s.celsius);
  return found == 7 ? s : c;
}

std::string utc_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string source_commit() {
  const std::string git = std::string("git -C '") + INFCL_SOURCE_DIR + "' ";
  const std::string commit = first_line(git + "rev-parse HEAD");
  if (commit.empty()) return {};
  return commit + (first_line(git + "status --porcelain").empty() ? "" : "+");
}

}  // namespace infcl::bench
