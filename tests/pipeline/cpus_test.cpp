#include <sluice/pipeline/detail/cpus.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace sluice::detail {
namespace {

namespace fs = std::filesystem;

// A control group tree of the test's own.
class Cpus : public testing::Test {
 protected:
  Cpus() : folder_(fs::temp_directory_path() / ("sluice-cpus-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Cpus() override { fs::remove_all(folder_); }
  Cpus(const Cpus&) = delete;
  Cpus& operator=(const Cpus&) = delete;

  void write(const std::string& path, const std::string& text) const {
    const fs::path file = folder_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  // With what /proc/self/cgroup says.
  std::optional<double> quota(const std::string& cgroup) const {
    write("proc", cgroup);
    return cpus_of_quota((folder_ / "proc").string(), (folder_ / "sys").string());
  }

 private:
  fs::path folder_;
};

TEST(CpuMax, IsAQuotaOverAPeriod) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("50000 100000"), 0.5);
}

TEST(CpuMax, ThatIsMalformedIsNoLimit) {
  for (const char* text :
       {"", "max", "100000", "x 100000", "0 100000", "-1 100000", "100000 0", "100000 -5", "nan 100000", "\n"})
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
}

TEST(UsableCpus, AreTheSmallerOfMaskAndQuotaRoundedUpAndAtLeastOne) {
  EXPECT_EQ(usable_cpus(8, std::nullopt), 8u);
  EXPECT_EQ(usable_cpus(8, 2.0), 2u);
  EXPECT_EQ(usable_cpus(8, 1.5), 2u);
  EXPECT_EQ(usable_cpus(2, 16.0), 2u);
  EXPECT_EQ(usable_cpus(8, 0.1), 1u);
  EXPECT_EQ(usable_cpus(0, std::nullopt), 1u);
  EXPECT_EQ(usable_cpus(8, 1e300), 8u);
  EXPECT_EQ(usable_cpus(8, std::numeric_limits<double>::infinity()), 8u);
}

TEST(AffinityMask, HasACpu) {
  EXPECT_GE(cpus_of_affinity(), 1u);
}

TEST_F(Cpus, Version2ReadsTheGroupsCpuMax) {
  write("sys/a/b/cpu.max", "250000 100000");
  EXPECT_EQ(quota("0::/a/b\n"), 2.5);
}

TEST_F(Cpus, TheSmallestQuotaOnTheWayUpHolds) {
  write("sys/cpu.max", "max 100000");
  write("sys/a/cpu.max", "150000 100000");
  write("sys/a/b/cpu.max", "max 100000");
  write("sys/a/b/c/cpu.max", "300000 100000");
  EXPECT_EQ(quota("0::/a/b/c\n"), 1.5);
}

TEST_F(Cpus, AContainerWithoutItsOwnViewFindsItsGroupAtTheRoot) {
  write("sys/cpu.max", "200000 100000");
  EXPECT_EQ(quota("0::/docker/0123456789\n"), 2.0);
  EXPECT_EQ(quota("0::/\n"), 2.0);
}

TEST_F(Cpus, Version1ReadsQuotaAndPeriodOfTheCpuController) {
  write("sys/cpu/docker/x/cpu.cfs_quota_us", "350000\n");
  write("sys/cpu/docker/x/cpu.cfs_period_us", "100000\n");
  write("sys/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("12:cpuset:/docker/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n"), 3.5);
  EXPECT_EQ(quota("4:cpuacct:/docker/x\n"), std::nullopt) << "another controller's group says nothing";
}

TEST_F(Cpus, NoQuotaIsNoLimit) {
  EXPECT_EQ(quota(""), std::nullopt);
  EXPECT_EQ(quota("0::/nowhere\n"), std::nullopt);
  EXPECT_EQ(cpus_of_quota("/no/such/file", "/no/such/folder"), std::nullopt);
}

TEST_F(Cpus, LinesThatAreNoCgroupLinesArePassedOver) {
  write("sys/cpu.max", "200000 100000");
  for (const char* text : {"\n", ":\n", "::\n", "nonsense\n", "0::relative\n", "0::relative/path\n", "a:b\n"})
    EXPECT_NO_THROW(quota(text)) << text;
  EXPECT_EQ(quota("nonsense\n0::/\n"), 2.0);
}

}  // namespace
}  // namespace sluice::detail
