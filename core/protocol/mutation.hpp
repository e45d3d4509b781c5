// Bugs on purpose, for the test of the tests: the simulator must find each of them (tests/mutation). In the
// product every question is answered `false` at compile time. To be asked in source files only, never in
// headers: the test links parts that were compiled without.
#pragma once

#include <cstdint>

namespace processhub::protocol {

enum class Mutation : std::uint8_t {
  none,
  forgets_removed_starts,     ///< a removed start that is told again comes back
  keeps_what_others_removed,  ///< a snapshot's removals are not applied
  starts_without_release,     ///< starts what another living node still runs
  starts_before_tables,       ///< starts before view and tables are known
  never_takes_over,           ///< orphans stay orphans
  reuses_generation,          ///< a takeover does not raise the epoch
  restart_keeps_generation,   ///< nor a restart the number of restarts
  promotes_without_demotion,  ///< a second active one beside one that still is
  ignores_higher_generation,  ///< goes on beside a later activation elsewhere
  accepts_earlier_life,       ///< an earlier incarnation counts as up while a later one is
  loser_stays,                ///< of two starts of one id both stay
  never_unlocks,              ///< the lock of a redistribution is not released
  no_gap_repair,              ///< a publication that is missed is not asked for
  no_digests,                 ///< different digests are not compared
  no_resend,                  ///< what was lost on a link is not sent again
  delivers_twice,             ///< a repeated frame of a session is delivered again
  confirms_too_early,         ///< publications are confirmed though some are missing
  answers_too_early,          ///< a start is answered before others confirmed it
  no_timeouts,                ///< calls have no deadline
  leaves_at_once,             ///< a leaving node does not hand over first
  forgets_last_words,         ///< a leave counts before the rows that belong to it
  no_lease,                   ///< turns go on though no quorum answers
  takes_over_at_once,         ///< the children of a node out of reach, which may have a lease
  thaws_after_commit,         ///< a child goes on though its target was told to run it
  overtakes_moves,            ///< new messages to a child that moved do not wait for earlier ones
  direct_at_once,             ///< threads hand messages to a child that came here, earlier ones or not
  merges_twice,               ///< a state that comes again is merged again
  activates_without_state,    ///< a child that moved starts from its args
  forgets_votes,              ///< who proposes does not ask what was accepted before
};

#ifdef PROCESSHUB_MUTATIONS
inline Mutation active_mutation = Mutation::none;
inline bool mutated(Mutation mutation) { return mutation == active_mutation; }
#else
constexpr bool mutated(Mutation) { return false; }
#endif

}  // namespace processhub::protocol
