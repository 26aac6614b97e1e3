/* The liveness fabric and the leases that ride on it (liveness.md, src/consensus/liveness, src/consensus/raft/support.h).
 *
 * Three voters. A leads term 1 and needs the support of B for its lease; C would lead term 2 and needs the vote of B.
 * A and B crash and restart. The network is the worst there is: what was ever sent may be delivered at any time, any
 * number of times, in any order, or never. Clocks run at the same rate; the margin for drift is arithmetic, see liveness.md.
 *
 * Checked: A never holds its lease once C can have been elected.
 *
 * The model must bite: with -DFORGET_PROMISES, -DREVIVE_EPOCH, -DTRUST_FROM_RECEIPT, -DLEASE_IGNORES_EPOCH or
 * -DFORGET_FORTIFICATION the check must fail. check_specs.sh runs all of them.
 */

#define SUPPORT 2
#define TIME_END 3
#define LIVES 2
#define COUNTS 2                       /* epochs per life of B */
#define EPOCH(life, count) ((life) * COUNTS + (count))
#define EPOCHS (LIVES * COUNTS + 1)    /* 0 is none */

byte now = 0;

/* A */
byte a_life = 0;
bool a_leads = true;
byte a_epoch = 0;                      /* what it counts on */
byte a_until = 0;
byte a_fortified = 0;                  /* the epoch in which B has said to be fortified to it */

/* B, forgotten in a crash */
byte b_count = 0;
byte b_given = 0;
byte b_given_until = 0;
byte b_known_life = 0;
byte b_honour_until = 0;

/* B, durable */
byte b_life = 0;
byte b_fortification = 0;              /* the epoch, to A in term 1; 0 for none */
byte b_term = 1;

bool c_leads = false;

/* All messages ever sent. */
bool request[LIVES * (TIME_END + 1)];
bool grant[LIVES * (TIME_END + 1) * EPOCHS];
bool append[EPOCHS];                   /* an append of A, with the epoch it counts on */
bool answer[EPOCHS];                   /* an answer of B, with the epoch in which it is fortified */

#define REQUEST(life, sent) request[(life) * (TIME_END + 1) + (sent)]
#define GRANT(life, sent, epoch) grant[((life) * (TIME_END + 1) + (sent)) * EPOCHS + (epoch)]

#define B_SUPPORTS_NOW (b_given != 0 && now < b_given_until)
#ifdef FORGET_PROMISES
#define B_HELD (b_fortification != 0 && b_fortification == b_given && B_SUPPORTS_NOW)
#else
#define B_HELD (b_fortification != 0 && ((b_fortification == b_given && B_SUPPORTS_NOW) || \
  (b_fortification <= EPOCH(b_life, 0) && now < b_honour_until)))
#endif
#ifdef LEASE_IGNORES_EPOCH
#define LEASE (a_leads && a_fortified != 0 && now < a_until)
#else
#define LEASE (a_leads && a_fortified != 0 && a_fortified == a_epoch && now < a_until)
#endif

active proctype time() {
  do
  :: now < TIME_END -> now = now + 1
  od
}

active proctype requester() {
  byte i;
  byte e;
  do
  :: d_step { !REQUEST(a_life, now) -> REQUEST(a_life, now) = true }
  /* A grant to this life of A, of whatever age. */
  :: atomic {
       select (i : 0 .. TIME_END);
       select (e : 1 .. EPOCHS - 1);
       if
       :: i <= now && GRANT(a_life, i, e) && e >= a_epoch ->
#ifdef TRUST_FROM_RECEIPT
          if
          :: e > a_epoch || now + SUPPORT > a_until -> a_until = now + SUPPORT
          :: else
          fi;
#else
          if
          :: e > a_epoch || i + SUPPORT > a_until -> a_until = i + SUPPORT
          :: else
          fi;
#endif
          a_epoch = e
       :: else
       fi;
       i = 0; e = 0
     }
  :: d_step { a_leads && a_epoch != 0 && now < a_until && !append[a_epoch] -> append[a_epoch] = true }
  :: atomic {
       select (e : 1 .. EPOCHS - 1);
       if
       :: a_leads && answer[e] && e > a_fortified -> a_fortified = e
       :: else
       fi;
       e = 0
     }
  :: d_step { a_life + 1 < LIVES -> a_life = a_life + 1; a_leads = false; a_epoch = 0; a_until = 0; a_fortified = 0 }
  od
}

active proctype supporter() {
  byte l;
  byte i;
  byte e;
  do
  /* A request, of whatever life of A, of whatever age. */
  :: atomic {
       select (l : 0 .. LIVES - 1);
       select (i : 0 .. TIME_END);
       if
       :: REQUEST(l, i) && l >= b_known_life ->
          if
#ifdef REVIVE_EPOCH
          :: b_given == 0 || l > b_known_life ->
#else
          :: b_given == 0 || now >= b_given_until || l > b_known_life ->
#endif
             if
             :: b_count < COUNTS -> b_count = b_count + 1; b_given = EPOCH(b_life, b_count); b_given_until = 0
             :: else -> i = TIME_END + 1
             fi
          :: else
          fi;
          if
          :: i <= TIME_END ->
             b_known_life = l;
             b_given_until = now + SUPPORT;
             GRANT(l, i, b_given) = true
          :: else                      /* no epochs left in this model */
          fi
       :: else
       fi;
       l = 0; i = 0
     }
  /* An append: fortifies, durably, and then answers. */
  :: atomic {
       select (e : 1 .. EPOCHS - 1);
       if
       :: append[e] && b_term == 1 && B_SUPPORTS_NOW && e == b_given ->
          b_fortification = e; answer[e] = true
       :: else
       fi;
       e = 0
     }
  /* C asks for the vote. */
  :: d_step { b_term == 1 && !B_HELD -> b_term = 2; b_fortification = 0; c_leads = true }
  :: d_step { b_life + 1 < LIVES ->
       b_life = b_life + 1; b_count = 0; b_given = 0; b_given_until = 0; b_known_life = 0;
#ifdef FORGET_FORTIFICATION
       b_fortification = 0;
#endif
       b_honour_until = now + SUPPORT }
  od
}

active proctype check() {
  d_step { LEASE && c_leads -> assert(false) }
}
