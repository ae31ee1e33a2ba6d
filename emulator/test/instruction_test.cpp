// Single instructions against results worked out by hand from the PTX ISA.
#include <cinttypes>
#include <limits>
#include <stdexcept>

#include "../half.h"
#include "check.h"
#include "test_device.h"

using namespace emulator_test;
using namespace infcl::emulator;

namespace {

// The instruction reads %a %b %c (32 bits), %la %lb %lc (64), %ha %hb (16) or %p (a & 1), and writes %d, %ld,
// %hd or %q.
struct Row {
  const char* instruction;
  uint64_t a, b, c, expected;
};

constexpr uint64_t kOnes = ~uint64_t{0};

uint64_t f(float x) { return bit_cast<uint32_t>(x); }
uint64_t d(double x) { return bit_cast<uint64_t>(x); }
uint64_t s(int64_t x) { return static_cast<uint32_t>(x); }

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::string module_of(const std::string& instruction) {
  std::string store = "selp.u64 %ld, 1, 0, %q;\n";
  if (contains(instruction, "%ld")) store = "";
  if (contains(instruction, "%d")) store = "cvt.u64.u32 %ld, %d;\n";
  if (contains(instruction, "%hd")) store = "cvt.u64.u16 %ld, %hd;\n";
  return ".version 8.0\n.target sm_80\n.address_size 64\n"
         ".visible .entry row_kernel(.param .u64 in, .param .u64 out) {\n"
         ".reg .pred %p, %q;\n.reg .b16 %ha, %hb, %hd;\n.reg .b32 %a, %b, %c, %d;\n"
         ".reg .b64 %la, %lb, %lc, %ld, %from, %to;\n"
         "ld.param.u64 %from, [in];\nld.param.u64 %to, [out];\n"
         "ld.global.u64 %la, [%from];\nld.global.u64 %lb, [%from+8];\nld.global.u64 %lc, [%from+16];\n"
         "cvt.u32.u64 %a, %la;\ncvt.u32.u64 %b, %lb;\ncvt.u32.u64 %c, %lc;\n"
         "cvt.u16.u64 %ha, %la;\ncvt.u16.u64 %hb, %lb;\n"
         "and.b32 %d, %a, 1;\nsetp.ne.u32 %p, %d, 0;\n" +
         instruction + "\n" + store + "st.global.u64 [%to], %ld;\nret;\n}\n";
}

uint64_t evaluate(const Row& row) {
  Device device;
  device.load(module_of(row.instruction));
  const std::vector<uint64_t> in = {row.a, row.b, row.c};
  CUdeviceptr from = device.upload(in), to = device.buffer<uint64_t>(1);
  std::string why = device.launch("row_kernel", {1, 32}, {&from, &to});
  CHECK(why.empty(), "%s: %s", row.instruction, why.c_str());
  return why.empty() ? device.download<uint64_t>(to, 1)[0] : 0;
}

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    uint64_t got = evaluate(row);
    CHECK(got == row.expected, "%s of %" PRIx64 " %" PRIx64 " %" PRIx64 " is %" PRIx64 ", not %" PRIx64,
          row.instruction, row.a, row.b, row.c, got, row.expected);
  }
}

const std::vector<Row> kIntegers = {
    {"add.s32 %d, %a, %b;", 0x7fffffff, 1, 0, 0x80000000},
    {"sub.s64 %ld, %la, %lb;", 0, 1, 0, kOnes},
    {"mul.lo.s32 %d, %a, %b;", s(-3), 7, 0, s(-21)},
    {"mul.hi.u32 %d, %a, %b;", 0xffffffff, 0xffffffff, 0, 0xfffffffe},
    {"mul.hi.s32 %d, %a, %b;", s(-1), 2, 0, s(-1)},
    {"mul.hi.u64 %ld, %la, %lb;", kOnes, kOnes, 0, kOnes - 1},
    {"mul.wide.s32 %ld, %a, %b;", s(-2), 3, 0, uint64_t(-6)},
    {"mul.wide.u32 %ld, %a, %b;", 0xffffffff, 2, 0, 0x1fffffffe},
    {"mul.wide.u16 %d, %ha, %hb;", 0xffff, 0xffff, 0, 0xfffe0001},
    {"mad.lo.s32 %d, %a, %b, %c;", 5, 6, 7, 37},
    {"mad.wide.s32 %ld, %a, %b, %lc;", s(-1), 4, 10, 6},
    {"mad.hi.u32 %d, %a, %b, %c;", 0x80000000, 4, 5, 7},
    {"div.s32 %d, %a, %b;", s(-7), 2, 0, s(-3)},
    {"div.u32 %d, %a, %b;", 0xfffffff9, 2, 0, 0x7ffffffc},
    {"rem.s32 %d, %a, %b;", s(-7), 2, 0, s(-1)},
    {"rem.u64 %ld, %la, %lb;", 100, 7, 0, 2},
    {"div.s32 %d, %a, %b;", 0x80000000, s(-1), 0, 0x80000000},
    {"min.s32 %d, %a, %b;", s(-1), 1, 0, s(-1)},
    {"min.u32 %d, %a, %b;", s(-1), 1, 0, 1},
    {"max.s64 %ld, %la, %lb;", kOnes, 1, 0, 1},
    {"max.u64 %ld, %la, %lb;", kOnes, 1, 0, kOnes},
    {"abs.s32 %d, %a;", s(-5), 0, 0, 5},
    {"neg.s64 %ld, %la;", 5, 0, 0, uint64_t(-5)},
    {"sad.s32 %d, %a, %b, %c;", s(-5), 5, 1, 11},
    {"add.s16 %hd, %ha, %hb;", 0x7fff, 1, 0, 0x8000},
    {"add.cc.u32 %b, %a, %a; addc.u32 %d, %c, 0;", 0x80000000, 0, 5, 6},
    {"sub.cc.u32 %b, %a, %b; subc.u32 %d, %c, 0;", 1, 2, 5, 4},
    {"mad.lo.cc.u32 %d, %a, %b, %c; madc.hi.u32 %d, %a, %b, 0;", 0xffffffff, 0xffffffff, 0xffffffff,
     0xffffffff},
    {"add.cc.u64 %lb, %la, 1; addc.cc.u64 %lb, %la, 0; addc.u64 %ld, 0, 0;", kOnes, 0, 0, 1},
};

const std::vector<Row> kBits = {
    {"and.b32 %d, %a, %b;", 0xff0f, 0x0ff0, 0, 0x0f00},
    {"or.b64 %ld, %la, 1;", 0x100000000, 0, 0, 0x100000001},
    {"xor.b32 %d, %a, %b;", 6, 3, 0, 5},
    {"not.b32 %d, %a;", 0, 0, 0, 0xffffffff},
    {"shl.b32 %d, %a, %b;", 1, 31, 0, 0x80000000},
    {"shl.b32 %d, %a, %b;", 1, 32, 0, 0},
    {"shl.b64 %ld, %la, %b;", 1, 40, 0, uint64_t{1} << 40},
    {"shr.s32 %d, %a, %b;", 0x80000000, 40, 0, 0xffffffff},
    {"shr.u32 %d, %a, %b;", 0x80000000, 31, 0, 1},
    {"shr.s64 %ld, %la, %b;", uint64_t{1} << 63, 63, 0, kOnes},
    {"shr.u16 %hd, %ha, %b;", 0x8000, 15, 0, 1},
    {"shf.l.wrap.b32 %d, %a, %b, %c;", 0x80000000, 1, 1, 3},
    {"shf.l.wrap.b32 %d, %a, %b, %c;", 0x80000000, 1, 33, 3},
    {"shf.r.wrap.b32 %d, %a, %b, %c;", 2, 1, 1, 0x80000001},
    {"shf.r.clamp.b32 %d, %a, %b, %c;", 2, 9, 40, 9},
    {"lop3.b32 %d, %a, %b, %c, 0xe8;", 0xf0f0, 0xff00, 0xaaaa, 0xfaa0},  // majority
    {"lop3.b32 %d, %a, %b, %c, 0x96;", 1, 3, 7, 5},                      // parity
    {"prmt.b32 %d, %a, %b, 0x7531;", 0x03020100, 0x07060504, 0, 0x07050301},
    {"prmt.b32 %d, %a, %b, 0x98;", 0x00008000, 0, 0, 0x0000ff00},  // sign of byte 1, sign of byte 0
    {"bfe.u32 %d, %a, %b, %c;", 0xabcd1234, 8, 12, 0xd12},
    {"bfe.s32 %d, %a, %b, %c;", 0x00000f00, 8, 4, 0xffffffff},
    {"bfe.s32 %d, %a, %b, %c;", 0x80000000, 28, 8, 0xfffffff8},
    {"bfe.u64 %ld, %la, %b, %c;", uint64_t{0xab} << 40, 40, 8, 0xab},
    {"bfi.b32 %d, %a, %b, 4, 8;", 0x3ff, 0xffff0000, 0, 0xffff0ff0},
    {"bfi.b64 %ld, %la, %lb, 32, 32;", 5, 7, 0, 0x500000007},
    {"popc.b32 %d, %a;", 0xf0f0, 0, 0, 8},
    {"popc.b64 %d, %la;", kOnes, 0, 0, 64},
    {"clz.b32 %d, %a;", 1, 0, 0, 31},
    {"clz.b32 %d, %a;", 0, 0, 0, 32},
    {"clz.b64 %d, %la;", 1, 0, 0, 63},
    {"bfind.u32 %d, %a;", 0x100, 0, 0, 8},
    {"bfind.s32 %d, %a;", s(-1), 0, 0, 0xffffffff},
    {"bfind.shiftamt.u64 %d, %la;", 0x100, 0, 0, 55},
    {"brev.b32 %d, %a;", 1, 0, 0, 0x80000000},
};

const std::vector<Row> kFloats = {
    {"add.f32 %d, %a, %b;", f(1), f(0x1p-24f), 0, f(1)},  // a tie goes to even
    {"add.rp.f32 %d, %a, %b;", f(1), f(0x1p-30f), 0, f(1.0000001f)},
    {"add.rm.f32 %d, %a, %b;", f(1), f(-0x1p-30f), 0, f(0.99999994f)},
    {"add.f64 %ld, %la, %lb;", d(1), d(2), 0, d(3)},
    {"mul.f32 %d, %a, %b;", f(0x1p-100f), f(0x1p-40f), 0, f(0x1p-140f)},
    {"mul.ftz.f32 %d, %a, %b;", f(0x1p-100f), f(0x1p-40f), 0, 0},
    {"mul.ftz.f32 %d, %a, %b;", f(-0x1p-140f), f(1), 0, 0x80000000},
    {"fma.rn.f32 %d, %a, %b, %c;", f(1 + 0x1p-23f), f(1 - 0x1p-23f), f(-1), f(-0x1p-46f)},
    {"fma.rm.f32 %d, %a, %b, %c;", f(1), f(1), f(-0x1p-40f), f(0.99999994f)},
    {"fma.rn.sat.f32 %d, %a, %b, %c;", f(2), f(3), f(1), f(1)},
    {"fma.rn.f64 %ld, %la, %lb, %lc;", d(3), d(4), d(5), d(17)},
    {"div.rn.f32 %d, %a, %b;", f(1), f(3), 0, f(1.0f / 3)},
    {"div.rn.f64 %ld, %la, %lb;", d(1), d(3), 0, d(1.0 / 3)},
    {"rcp.rn.f32 %d, %a;", f(3), 0, 0, f(1.0f / 3)},
    {"sqrt.rn.f32 %d, %a;", f(2), 0, 0, f(1.41421356f)},
    {"min.f32 %d, %a, %b;", f(kNan), f(2), 0, f(2)},
    {"max.f32 %d, %a, %b;", f(2), f(kNan), 0, f(2)},
    {"max.NaN.f32 %d, %a, %b;", f(2), f(kNan), 0, f(kNan)},
    {"min.f32 %d, %a, %b;", f(0.f), f(-0.f), 0, f(-0.f)},
    {"abs.f32 %d, %a;", f(-2), 0, 0, f(2)},
    {"neg.f64 %ld, %la;", d(-2), 0, 0, d(2)},
    {"copysign.f32 %d, %a, %b;", f(-1), f(5), 0, f(-5)},
    {"ex2.approx.ftz.f32 %d, %a;", f(3), 0, 0, f(8)},
    {"ex2.approx.ftz.f32 %d, %a;", f(-127), 0, 0, 0},
    {"ex2.approx.f32 %d, %a;", f(-127), 0, 0, f(0x1p-127f)},
    {"ex2.approx.ftz.f32 %d, %a;", f(200), 0, 0, f(kInfinity)},
    {"ex2.approx.ftz.f32 %d, %a;", f(-kInfinity), 0, 0, 0},
    {"lg2.approx.f32 %d, %a;", f(8), 0, 0, f(3)},
    {"lg2.approx.ftz.f32 %d, %a;", 0, 0, 0, f(-kInfinity)},
    {"rsqrt.approx.f32 %d, %a;", f(4), 0, 0, f(0.5f)},
    {"fma.rn.f16 %hd, %ha, %hb, %ha;", 0x3c00, 0x4000, 0, 0x4200},             // 1 * 2 + 1
    {"mul.f16x2 %d, %a, %b;", 0x40003c00, 0x42004200, 0, 0x46004200},          // (1, 2) * 3
    {"fma.rn.bf16x2 %d, %a, %b, %a;", 0x40003f80, 0x40004000, 0, 0x40c04040},  // (1, 2) * 2 + (1, 2)
};

const std::vector<Row> kComparisons = {
    {"setp.lt.s32 %q, %a, %b;", s(-1), 1, 0, 1},
    {"setp.lt.u32 %q, %a, %b;", s(-1), 1, 0, 0},
    {"setp.hs.u32 %q, %a, %b;", s(-1), 1, 0, 1},
    {"setp.ge.s64 %q, %la, %lb;", kOnes, 0, 0, 0},
    {"setp.lt.f32 %q, %a, %b;", f(kNan), f(1), 0, 0},
    {"setp.ltu.f32 %q, %a, %b;", f(kNan), f(1), 0, 1},
    {"setp.ne.f32 %q, %a, %b;", f(kNan), f(1), 0, 0},
    {"setp.neu.f32 %q, %a, %b;", f(kNan), f(1), 0, 1},
    {"setp.equ.f32 %q, %a, %b;", f(2), f(1), 0, 0},
    {"setp.num.f32 %q, %a, %b;", f(2), f(kNan), 0, 0},
    {"setp.nan.f64 %q, %la, %lb;", d(2), d(2), 0, 0},
    {"setp.eq.ftz.f32 %q, %a, %b;", f(0x1p-140f), 0, 0, 1},
    {"setp.eq.and.s32 %q, %a, 1, %p;", 1, 0, 0, 1},
    {"setp.eq.and.s32 %q, %a, 1, !%p;", 1, 0, 0, 0},
    {"setp.eq.or.s32 %q, %a, 2, %p;", 1, 0, 0, 1},
    {"setp.eq.xor.s32 %q, %a, 1, %p;", 1, 0, 0, 0},
    {"setp.eq.s32 %p|%q, %a, 1;", 1, 0, 0, 0},
    {"setp.eq.s32 %p|%q, %a, 2;", 1, 0, 0, 1},
    {"selp.b32 %d, %a, %b, %p;", 1, 7, 0, 1},
    {"selp.b32 %d, %a, %b, %p;", 2, 7, 0, 7},
    {"testp.finite.f32 %q, %a;", f(kInfinity), 0, 0, 0},
    {"testp.notanumber.f32 %q, %a;", f(kNan), 0, 0, 1},
    {"testp.subnormal.f32 %q, %a;", f(0x1p-140f), 0, 0, 1},
    {"not.pred %q, %p;", 1, 0, 0, 0},
    {"and.pred %q, %p, %p;", 1, 0, 0, 1},
    {"mov.pred %q, %p;", 1, 0, 0, 1},
};

const std::vector<Row> kConversions = {
    {"cvt.s64.s32 %ld, %a;", s(-1), 0, 0, kOnes},
    {"cvt.u64.u32 %ld, %a;", s(-1), 0, 0, 0xffffffff},
    {"cvt.s32.s8 %d, %a;", 0x1ff, 0, 0, 0xffffffff},
    {"cvt.u32.u8 %d, %a;", 0x1ff, 0, 0, 0xff},
    {"cvt.s32.s16 %d, %ha;", 0x8000, 0, 0, 0xffff8000},
    {"cvt.u16.u32 %hd, %a;", 0x12345678, 0, 0, 0x5678},
    {"cvt.sat.u8.s32 %d, %a;", s(-3), 0, 0, 0},
    {"cvt.sat.s16.s32 %d, %a;", 70000, 0, 0, 32767},
    {"cvt.rn.f32.s32 %d, %a;", 0x01000001, 0, 0, f(16777216)},
    {"cvt.rp.f32.s32 %d, %a;", 0x01000001, 0, 0, f(16777218)},
    {"cvt.rn.f32.u32 %d, %a;", 0xffffffff, 0, 0, f(4294967296.f)},
    {"cvt.rn.f32.s64 %d, %la;", 0x4000008000000001, 0, 0, f(4611686568183201792.f)},
    {"cvt.rn.f64.u64 %ld, %la;", kOnes, 0, 0, d(18446744073709551616.0)},
    {"cvt.rzi.s32.f32 %d, %a;", f(-2.7f), 0, 0, s(-2)},
    {"cvt.rni.s32.f32 %d, %a;", f(2.5f), 0, 0, 2},
    {"cvt.rmi.s32.f32 %d, %a;", f(-2.1f), 0, 0, s(-3)},
    {"cvt.rpi.s32.f32 %d, %a;", f(2.1f), 0, 0, 3},
    {"cvt.rzi.s32.f32 %d, %a;", f(3e9f), 0, 0, 0x7fffffff},
    {"cvt.rzi.u32.f32 %d, %a;", f(-3), 0, 0, 0},
    {"cvt.rzi.s32.f32 %d, %a;", f(kNan), 0, 0, 0},
    {"cvt.rzi.s64.f64 %ld, %la;", d(-5e9), 0, 0, uint64_t(-5000000000)},
    {"cvt.rmi.f32.f32 %d, %a;", f(-2.1f), 0, 0, f(-3)},
    {"cvt.rni.f32.f32 %d, %a;", f(0.5f), 0, 0, 0},
    {"cvt.sat.f32.f32 %d, %a;", f(1.5f), 0, 0, f(1)},
    {"cvt.f64.f32 %ld, %a;", f(1.5f), 0, 0, d(1.5)},
    {"cvt.rn.f32.f64 %d, %la;", d(1 + 0x1p-30), 0, 0, f(1)},
    {"cvt.rp.f32.f64 %d, %la;", d(1 + 0x1p-30), 0, 0, f(1.0000001f)},
    {"cvt.rn.f16.f32 %hd, %a;", f(65519), 0, 0, 0x7bff},
    {"cvt.rn.f16.f32 %hd, %a;", f(65520), 0, 0, 0x7c00},
    {"cvt.rz.f16.f32 %hd, %a;", f(1e6f), 0, 0, 0x7bff},
    {"cvt.rn.f16.f32 %hd, %a;", f(0x1p-25f), 0, 0, 0},
    {"cvt.rn.f16.f32 %hd, %a;", f(0x1.8p-25f), 0, 0, 1},
    {"cvt.rn.bf16.f32 %hd, %a;", f(1 + 0x1p-8f), 0, 0, 0x3f80},
    {"cvt.rn.bf16.f32 %hd, %a;", f(1 + 0x3p-8f), 0, 0, 0x3f82},
    {"cvt.rz.bf16.f32 %hd, %a;", f(1.999f), 0, 0, 0x3fff},
    {"cvt.rn.bf16.f32 %hd, %a;", f(kNan), 0, 0, 0x7fff},
    {"cvt.f32.f16 %d, %ha;", 0x0001, 0, 0, f(0x1p-24f)},
    {"cvt.f32.f16 %d, %ha;", 0xfc00, 0, 0, f(-kInfinity)},
    {"cvt.f32.bf16 %d, %ha;", 0xc040, 0, 0, f(-3)},
    {"cvt.rn.bf16x2.f32 %d, %a, %b;", f(1), f(2), 0, 0x3f804000},
    {"cvt.rn.f16x2.f32 %d, %a, %b;", f(1), f(2), 0, 0x3c004000},
    {"cvt.rna.tf32.f32 %d, %a;", f(1 + 0x1p-11f), 0, 0, f(1 + 0x1p-10f)},
    {"mov.b64 %ld, {%a, %b};", 1, 2, 0, 0x200000001},
    {"mov.b64 {%d, %c}, %la;", 0x200000001, 0, 0, 1},
    {"mov.b64 {_, %d}, %la;", 0x200000001, 0, 0, 2},
    {"mov.b32 %d, {%ha, %hb};", 0x1234, 0x5678, 0, 0x56781234},
    {"mov.b64 %ld, {%ha, %hb, %ha, %hb};", 1, 2, 0, 0x0002000100020001},
    {"mov.b32 %d, 0f3F800000;", 0, 0, 0, f(1)},
    {"mov.f32 %d, 1.5;", 0, 0, 0, f(1.5f)},
};

// The vector loops of half.h against the general rounding, for every float that is near a 16-bit one.
void check_half_rounding() {
  uint64_t wrong = 0;
  auto same = [&](float x) {
    wrong += float_to_float16(x) != round_to_float16(x, Rounding::kNearest);
    wrong += float_to_bfloat16(x) != round_to_bfloat16(x, Rounding::kNearest);
  };
  for (uint32_t high = 0; high < 0x10000; high++)
    for (uint32_t low : {0u, 1u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      same(bit_cast<float>(high << 16 | low));
  CHECK(wrong == 0, "%" PRIu64 " roundings differ", wrong);
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const auto h = static_cast<uint16_t>(bits);
    if ((bits & 0x7fff) <= 0x7c00) wrong += float_to_float16(float16_to_float(h)) != h;
    if ((bits & 0x7fff) <= 0x7f80) wrong += float_to_bfloat16(bfloat16_to_float(h)) != h;
  }
  CHECK(wrong == 0, "%" PRIu64 " 16-bit values do not survive float", wrong);
}

// Unknown instructions must be refused, never guessed.
void check_refusals() {
  for (const char* instruction :
       {"frobnicate.s32 %d, %a;", "add.s32.nonsense %d, %a, %b;", "add.s32 %ld, %a, %b;",
        "add.s32 %d, %a, %x;", "cvt.f32.s32 %d, %a;", "cvt.s32.f32 %d, %a;", "setp.ltu.s32 %q, %a, %b;",
        "mul.s32 %d, %a, %b;", "prmt.b32.f4e %d, %a, %b, %c;",
        "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 %d, %a, %b, %c;",
        "ld.global.v2.b64.unknown %ld, [%la];", "st.const.b32 [%la], %a;", "bra nowhere;",
        "mov.b32 %d, %tid.w;", "fma.f32 %d, %a, %b, %c;", "cvt.rn.e4m3x2.f32 %hd, %a, %b;"}) {
    bool refused = false;
    try {
      Device device;
      device.load(module_of(instruction));
    } catch (const std::runtime_error& e) {
      refused = contains(e.what(), "failed with 218");
    }
    CHECK(refused, "%s is accepted", instruction);
  }
}

}  // namespace

int main() {
  for (const auto* rows : {&kIntegers, &kBits, &kFloats, &kComparisons, &kConversions}) check_rows(*rows);
  check_half_rounding();
  check_refusals();
  return check::summary();
}
