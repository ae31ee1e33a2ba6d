// One round: the guests of one similarity go round once. A shard travels in two pieces. While one piece is
// visited, the piece before it is on its way to the next rank, and the next piece is on its way here: three
// slots are enough.
#include <chrono>

#include "core/abort.h"
#include "core/ring_backend.h"

namespace infcl {

namespace {

constexpr int kSlots = kPieces + 1;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

// Hops are numbered. Hop h moves piece h % 2 to step h / 2 + 1, and the last two hops move both pieces home.
class RingBackend::RoundRun {
 public:
  RoundRun(RingBackend& backend, const Round& round)
      : b_(backend),
        round_(round),
        route_(backend.shards_, round.similarity, backend.ranks_.rank()),
        visits_(kPieces * route_.last_step()),
        hops_(visits_ + (round.welcome ? kPieces : 0)) {}

  void run() {
    for (int piece = 0; piece < kPieces; ++piece)
      round_.pack(source(piece), parts(0, piece), route_.piece(0, piece));
    begin(0);
    work(0, true, round_.visit_own);
    for (int hop = 0; hop < hops_; ++hop) {
      b_.ranks_.end_exchange();
      const bool more = hop + 1 < hops_;
      if (more) begin(hop + 1);
      if (hop < visits_) {
        work(step_of(hop), more, [&] { visit(hop); });
      } else {
        work(0, more, [&] { round_.welcome(target(hop), route_.piece(0, piece_of_hop(hop))); });
      }
    }
  }

 private:
  static int step_of(int hop) { return hop / kPieces + 1; }
  static int piece_of_hop(int hop) { return hop % kPieces; }
  // A hop brings its message to the slot that the hop before has emptied.
  Guest& source(int hop) const { return b_.slots_[static_cast<size_t>(hop % kSlots)]; }
  Guest& target(int hop) const { return b_.slots_[static_cast<size_t>((hop + kPieces) % kSlots)]; }

  GuestParts parts(int step, int piece) const {
    GuestParts p = round_.parts;
    p.rows = route_.piece(step, piece).size();
    if (p.gradient_rows > 0) p.gradient_rows = route_.gradient_rows(step, piece);
    return p;
  }

  void begin(int hop) {
    const int piece = piece_of_hop(hop);
    if (hop >= visits_) {
      b_.ranks_.begin_exchange(route_.way_home(), source(hop).result(),
                               target(hop).receive_result(parts(0, piece)));
      return;
    }
    const bool first = step_of(hop) == 1;
    b_.ranks_.begin_exchange(1, first ? source(hop).first_part() : source(hop).all(),
                             target(hop).receive(parts(step_of(hop), piece), first));
  }

  void visit(int hop) {
    const int step = step_of(hop), piece = piece_of_hop(hop);
    Guest& guest = target(hop);
    if (step == 1) guest.clear_result();
    const int64_t rows = route_.rows_met(step, piece);
    if (rows == 0) return;
    guest.unpack();
    round_.visit(guest, {rows, route_.first_column(step, piece), guest.visit(rows)});
    guest.pack_sums();
  }

  // An agreed error leaves no message on its way, so that the group stays usable.
  void work(int step, bool in_flight, const std::function<void()>& f) {
    double computed = 0;
    try {
      b_.ranks_.together([&] {
        throw_if_aborted(b_.problem_.control);
        const double start = now_seconds();
        f();
        computed = now_seconds() - start;
      });
    } catch (...) {
      if (in_flight) b_.ranks_.end_exchange();
      throw;
    }
    const double waited = b_.ranks_.waited_seconds();
    const int64_t sent = b_.ranks_.bytes_sent();
    b_.steps_.push_back({round_.phase, step, computed, waited - waited_, sent - sent_});
    waited_ = waited;
    sent_ = sent;
  }

  RingBackend& b_;
  const Round& round_;
  const RingRoute route_;
  const int visits_, hops_;
  double waited_ = b_.ranks_.waited_seconds();
  int64_t sent_ = b_.ranks_.bytes_sent();
};

void RingBackend::run(const Round& round) { RoundRun(*this, round).run(); }

}  // namespace infcl
