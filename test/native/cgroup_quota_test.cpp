// Limits of control groups, read from trees of files as systems have them: version 1, version 2, both at
// once, inside and outside of containers, and broken ones.
#include "cpu/cgroup_quota.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "cpu/usable_threads.h"

namespace fs = std::filesystem;

namespace {

// Files of a system, in a folder of their own while the test runs.
class FakeSystem {
 public:
  FakeSystem(const std::vector<std::pair<std::string, std::string>>& files) {
    std::string name = (fs::temp_directory_path() / "infcl-cgroup-XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    root_ = name;
    for (const auto& [file, text] : files) {
      const fs::path path = root_ / file.substr(1);
      fs::create_directories(path.parent_path());
      std::ofstream(path) << text;
    }
  }
  ~FakeSystem() { fs::remove_all(root_); }
  double quota() const { return infcl::cpu::cgroup_quota(root_.string()); }

 private:
  fs::path root_;
};

using Files = std::vector<std::pair<std::string, std::string>>;

void expect(const char* what, double quota, const Files& files) {
  const double found = FakeSystem(files).quota();
  CHECK(found == quota, "%s: %g instead of %g", what, found, quota);
}

const char kVersion2[] = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const char kVersion1[] =
    "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 32 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:10 - cgroup cgroup rw,memory\n";
const double kNone = infcl::cpu::kNoQuota;

void test_version_2() {
  const auto tree = [](const std::string& group, const std::string& limit) {
    return Files{{"/proc/self/mountinfo", kVersion2},
                 {"/proc/self/cgroup", "0::" + group + "\n"},
                 {"/sys/fs/cgroup" + group + "/cpu.max", limit}};
  };
  expect("two processors", 2, tree("/user.slice", "200000 100000\n"));
  expect("a part of one", 0.25, tree("/a/b/c", "25000 100000\n"));
  expect("of another period", 1.5, tree("/a", "15000 10000\n"));
  expect("none", kNone, tree("/a", "max 100000\n"));
  expect("the default period", 3, tree("/a", "300000\n"));
  expect("the root's own group, as in a namespace", 4,
         {{"/proc/self/mountinfo", kVersion2},
          {"/proc/self/cgroup", "0::/\n"},
          {"/sys/fs/cgroup/cpu.max", "400000 100000\n"}});
  Files nested = tree("/a/b/c", "800000 100000\n");
  nested.push_back({"/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"});
  nested.push_back({"/sys/fs/cgroup/a/cpu.max", "max 100000\n"});
  expect("the smallest of all groups above", 3, nested);
  nested.push_back({"/sys/fs/cgroup/x/cpu.max", "100000 100000\n"});
  expect("and of no other", 3, nested);
}

void test_version_1() {
  const auto tree = [](const std::string& quota, const std::string& period) {
    return Files{{"/proc/self/mountinfo", kVersion1},
                 {"/proc/self/cgroup", "9:memory:/m\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n"},
                 {"/sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_quota_us", quota},
                 {"/sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_period_us", period}};
  };
  expect("two processors", 2, tree("200000\n", "100000\n"));
  expect("none", kNone, tree("-1\n", "100000\n"));
  Files parent = tree("-1\n", "100000\n");
  parent.push_back({"/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "50000\n"});
  parent.push_back({"/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n"});
  expect("of the group above", 0.5, parent);
  // what docker shows inside of a container without a namespace: its group is mounted, under its own name
  expect("mounted below the root", 3,
         {{"/proc/self/mountinfo",
           "33 32 0:30 /docker/1f /sys/fs/cgroup/cpu ro shared:9 - cgroup cgroup rw,cpu\n"},
          {"/proc/self/cgroup", "4:cpu:/docker/1f/inner\n"},
          {"/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "300000\n"},
          {"/sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n"}});
  expect("a path that is not below what is mounted", 2,
         {{"/proc/self/mountinfo", "33 32 0:30 /docker/1f /cg ro - cgroup cgroup rw,cpu\n"},
          {"/proc/self/cgroup", "4:cpu:/docker/1f2\n"},
          {"/cg/cpu.cfs_quota_us", "200000\n"},
          {"/cg/cpu.cfs_period_us", "100000\n"}});
  expect("a path above what is mounted", 2,
         {{"/proc/self/mountinfo", "33 32 0:30 /.. /cg ro - cgroup cgroup rw,cpu\n"},
          {"/proc/self/cgroup", "4:cpu:/../elsewhere\n"},
          {"/cg/cpu.cfs_quota_us", "200000\n"},
          {"/cg/cpu.cfs_period_us", "100000\n"}});
}

void test_both_versions() {
  const std::string unified = "41 31 0:38 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n";
  const Files files = {{"/proc/self/mountinfo", kVersion1 + unified},
                       {"/proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "700000\n"},
                       {"/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}};
  expect("of version 1", 7, files);
  Files both = files;
  both.push_back({"/sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n"});
  expect("of version 2, which is smaller", 2, both);
}

void test_mount_point_with_a_blank() {
  expect("written as its code", 2,
         {{"/proc/self/mountinfo", "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n"},
          {"/proc/self/cgroup", "0::/a\n"},
          {"/my groups/a/cpu.max", "200000 100000\n"}});
}

// A file that is missing or broken is no limit.
void test_broken() {
  expect("nothing at all", kNone, {{"/empty", ""}});
  expect(
      "no cgroups are mounted", kNone,
      {{"/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"}, {"/proc/self/cgroup", "0::/a\n"}});
  expect("no group", kNone,
         {{"/proc/self/mountinfo", kVersion2}, {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}});
  for (const char* group : {"", "0::", "0:", "x", "0::a", "::/a", "4:memory:/a", "\n\n:::\n"})
    FakeSystem({{"/proc/self/mountinfo", std::string(kVersion2) + kVersion1},
                {"/proc/self/cgroup", group},
                {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"}})
        .quota();  // must end
  for (const char* limit : {"", "\n", "max", "0 100000", "-1 100000", "100000 0", "100000 -5", "abc 100000",
                            "1x 100000", "100000 x", "1e999 100000", "nan 100000", "inf 100000"})
    expect(limit, kNone,
           {{"/proc/self/mountinfo", kVersion2},
            {"/proc/self/cgroup", "0::/a\n"},
            {"/sys/fs/cgroup/a/cpu.max", limit}});
  for (const char* mounts : {"30\n", "30 23 0:26 / /sys rw -\n", "- - - - - - -\n", "a b c d e f g h i j\n",
                             "30 23 0:26 / /sys/fs/cgroup rw - cgroup2\n"})
    expect(mounts, kNone,
           {{"/proc/self/mountinfo", mounts},
            {"/proc/self/cgroup", "0::/a\n"},
            {"/sys/fs/cgroup/a/cpu.max", "100000 100000\n"}});
}

}  // namespace

int main() {
  test_version_2();
  test_version_1();
  test_both_versions();
  test_mount_point_with_a_blank();
  test_broken();
  const int usable = infcl::cpu::usable_threads(),
            machine = static_cast<int>(std::thread::hardware_concurrency());
  CHECK(usable >= 1 && (machine == 0 || usable <= machine), "%d of %d", usable, machine);
  return check::summary();
}
