package io.dshm.proto;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * Every limit of the project, each with its reason. Relations between them are checked when this class is loaded.
 *
 * <p>What an operator may change is a configuration key of the server instead; the largest values allowed there are
 * named here.
 */
public final class Limits {

    /** Bytes of a key. Longer ones are refused with {@link ErrorCode#TOO_LARGE}; the protocol promises this much. */
    public static final int KEY_BYTES_MAX = 65_535;

    /**
     * Bytes of a key for the verbs of typed entries, and the longest key there can be: {@link #KEY_BYTES_MAX} bytes of
     * any kind, each percent-encoded, and a region with its colons.
     */
    public static final int LONG_KEY_BYTES_MAX = 3 * KEY_BYTES_MAX + 1024;

    /**
     * Bytes of a request line without its line end: the longest verb, a key, and three numbers of
     * {@link #NUMBER_CHARS_MAX} fit. A line that goes on beyond it cannot be told from data, so the connection closes.
     */
    public static final int LINE_BYTES_MAX = KEY_BYTES_MAX + 256;

    /** The same for the verbs that take a {@link #LONG_KEY_BYTES_MAX}: such a key and all options of its verb fit. */
    public static final int LONG_LINE_BYTES_MAX = LONG_KEY_BYTES_MAX + 512;

    /** Characters of a number in a request: a sign, 19 digits before the point, and a fraction. */
    public static final int NUMBER_CHARS_MAX = 40;

    /** Digits of a length, of a capacity, and of the whole seconds of a duration: any such number fits into 64 bits. */
    public static final int COUNT_DIGITS_MAX = 18;

    /**
     * Milliseconds of a time to live or of a limiter's window; a longer one becomes this. It is 146 million years,
     * "never" for all practical purposes, and added to any clock it does not overflow 64 bits.
     */
    public static final long TTL_MILLIS_MAX = Long.MAX_VALUE / 2;

    /** Bytes of the text that may follow an error's code; a longer one is cut. */
    public static final int ERROR_TEXT_BYTES_MAX = 256;

    /**
     * Bytes of the first line of a reply without its line end; a client closes a connection that sends a longer one.
     */
    public static final int REPLY_LINE_BYTES_MAX = 512;

    /** Bytes of a value, and the largest value that the server's {@code value-bytes-max} may have: 32 MiB. */
    public static final int VALUE_BYTES_MAX = 32 * 1024 * 1024;

    /**
     * Bytes of a request, see {@link Request#heldBytes}, and of its value while that arrives, from which on it counts
     * against the node's budget for requests on their way.
     */
    public static final int VALUE_BUDGET_STEP_BYTES = 4 * 1024;

    /**
     * Bytes of a value that travels inside one command; a longer one goes as {@link #CHUNK_BYTES} pieces, so that no
     * log entry is large enough to hold up the others or the leader's heartbeats.
     */
    public static final int INLINE_VALUE_BYTES_MAX = 256 * 1024;

    /** Bytes of one piece of a large value. */
    public static final int CHUNK_BYTES = 256 * 1024;

    /**
     * Large values of one origin whose pieces the state machine keeps; one more drops the oldest. A node sends one at a
     * time, so any earlier one was given up.
     */
    public static final int ORIGIN_UPLOADS_MAX = 2;

    /** Bytes of the pieces of all large values that are not whole yet: the largest values of eight nodes. */
    public static final long UPLOADS_BYTES_MAX = 8L * VALUE_BYTES_MAX;

    /**
     * Bytes of a key in the Sharedance protocol: percent-encoded it is up to three times as long, and with its region
     * before it still a {@link Key}.
     */
    public static final int SHAREDANCE_KEY_BYTES_MAX = 21_841;

    /**
     * Grants that a rate limiter may have in its window: eight bytes each are kept for as long as they count. A larger
     * capacity is refused with {@link ErrorCode#TOO_LARGE}.
     */
    public static final int LIMITER_CAPACITY_MAX = 1_000_000;

    /** The largest limit, burst and cost: sums of several are far from the end of 64 bits. */
    public static final long TOKENS_MAX = 1_000_000_000_000L;

    /**
     * Milliseconds of a limit's period: ten years, leap days included. A byte budget a decade fits, and so do all sums.
     */
    public static final long PERIOD_MILLIS_MAX = 3653L * 24 * 60 * 60 * 1000;

    /**
     * Limits in one TAKE_ALL: more than any request is subject to, and so few that the numbers of all of them fit into
     * the first line of the reply.
     */
    public static final int TAKES_MAX = 100;

    /**
     * Holders of permits under one key, and as many reservations and shares: a call that adds or ends one looks through
     * all of them and copies their list, within some 10 microseconds. Other calls on a limit look through them once at
     * an instant at most, and are as short as on a limit without any then.
     */
    public static final int HOLDERS_MAX = 1000;

    /** Bytes of the identity of a holder or a reservation: a UUID and a host's name fit. */
    public static final int HOLDER_BYTES_MAX = 128;

    /** The region of the entries that limits are named after. */
    public static final String POLICY_REGION = "policies";

    /** Bytes of the name of a policy: it stands in the lines of all requests that use it. */
    public static final int POLICY_NAME_BYTES_MAX = 128;

    /** Commands in one log entry, and in one message to the leader. */
    public static final int ENTRY_COMMANDS_MAX = 512;

    /** Bytes of commands in one log entry, unless a single command is larger. */
    public static final int ENTRY_BYTES_MAX = 256 * 1024;

    /**
     * Requests in one log entry, where each within a MULTI or a TAKE_ALL counts: nothing else is applied until all of
     * them are. That takes a few milliseconds, and some twenty if each adds or ends one of {@link #HOLDERS_MAX}
     * reservations.
     */
    public static final int ENTRY_REQUESTS_MAX = 2048;

    /**
     * Log entries that one event loop of the leader has proposed and not yet seen applied: one on the disks, one on its
     * way there. What comes meanwhile shares the next one; with more in flight, entries are smaller, and each costs a
     * round.
     */
    public static final int ENTRIES_IN_FLIGHT_MAX = 2;

    /**
     * Writes that one event loop has taken and not yet answered, and as many linearizable reads; one more is refused
     * with {@link ErrorCode#BUSY}.
     */
    public static final int COMMANDS_OUTSTANDING_MAX = 1 << 16;

    /**
     * Requests and replies that one connection handles in one turn of its event loop, and bytes of them: less than a
     * millisecond. Then the other connections of that loop have their turn.
     */
    public static final int TURN_STEPS_MAX = 1024;

    public static final int TURN_BYTES_MAX = 256 * 1024;

    /**
     * Keys of which one event loop of a node may hold shares, or watch the demand: what more there are, the log
     * decides. A tenth of a millisecond a second goes into looking through so many.
     */
    public static final int SHARED_KEYS_MAX = 10_000;

    /**
     * Bytes of a key that a lane remembers for shares, so that all of them take a few megabytes; longer ones are
     * decided by the log.
     */
    public static final int SHARED_KEY_BYTES_MAX = 512;

    /** Writes or linearizable reads that one connection may have outstanding before the server reads no more of it. */
    public static final int CONNECTION_WRITES_OUTSTANDING_MAX = 1024;

    /** {@link Request#heldBytes} that one connection may have outstanding, unless a single request has more. */
    public static final int CONNECTION_BYTES_OUTSTANDING_MAX = 1024 * 1024;

    /**
     * Bytes of a value that is kept with an outcome: INCR replies a value that is no integer as it is. A longer one is
     * read from the store when the outcome is known, so that what is remembered for repeats stays small.
     */
    public static final int OUTCOME_VALUE_BYTES_MAX = 4 * 1024;

    /** Bytes of an element of a list: what was taken off a list has to be kept until its sender has it. */
    public static final int ELEMENT_BYTES_MAX = 64 * 1024;

    /**
     * Bytes of a list, its elements with {@link #ELEMENT_OVERHEAD_BYTES} each: as many as of a value, because an entry
     * is written to a snapshot in one piece.
     */
    public static final int LIST_BYTES_MAX = VALUE_BYTES_MAX;

    /** What an element counts for in its list beside its bytes. */
    public static final int ELEMENT_OVERHEAD_BYTES = 48;

    /** Bytes of the requests in a MULTI: they share a log record, which must not be larger than a value in one. */
    public static final int MULTI_BYTES_MAX = INLINE_VALUE_BYTES_MAX;

    /** Bytes that the log record of a request in a MULTI may have beyond the request itself: tags, lengths, doubles. */
    public static final int MULTI_RECORD_OVERHEAD_BYTES = 64;

    /**
     * What a request in a MULTI or a TAKE_ALL takes on the heap beside its bytes, as an object and as a part of the log
     * record: "DELETE k" has ten bytes on the wire.
     */
    public static final int INNER_REQUEST_HEAP_BYTES = 256;

    /**
     * Requests in a MULTI: applied at once, within one to four milliseconds, or some ten if each adds or ends one of
     * {@link #HOLDERS_MAX} reservations.
     */
    public static final int MULTI_REQUESTS_MAX = 1024;

    /** Bytes of values in the reply to a MULTI that reads; whoever wants more sends several. */
    public static final int MULTI_REPLY_BYTES_MAX = 4 * 1024 * 1024;

    /** Bytes of values in the outcome of a MULTI that writes, which is remembered as a whole. */
    public static final int MULTI_OUTCOME_BYTES_MAX = 1024 * 1024;

    /** Keys in a reply to KEYS, and how many it has unless the request says otherwise. */
    public static final int KEYS_MAX = 65_536;

    public static final int KEYS_DEFAULT = 1024;

    /** Bytes of keys in a reply to KEYS, unless a single one is larger. */
    public static final int KEYS_BYTES_MAX = 1024 * 1024;

    /** Requests for a whole region that wait on a node: one at a time looks through all entries. */
    public static final int SCANS_WAITING_MAX = 64;

    /** Keys and bytes of keys in one log record that frees expired entries. */
    public static final int PURGE_KEYS_MAX = 1024;

    public static final int PURGE_BYTES_MAX = 64 * 1024;

    /**
     * Clients with an identity of their own that do not mark their repeats, as many as the state machine knows at a
     * time; with more, new ones are refused with {@link ErrorCode#BUSY}, since to forget one too early would let a late
     * copy of its command take effect again.
     */
    public static final int CLIENTS_MAX = 4096;

    /**
     * How long a client is known after its last write, in ms of the cluster clock: twice the longest request timeout.
     */
    public static final long CLIENT_IDLE_MILLIS = 20 * 60 * 1000;

    /** Bytes of all that is known of clients which mark their repeats: some 200,000 of them. */
    public static final long CLIENTS_BYTES_MAX = 64L * 1024 * 1024;

    /**
     * Clients with an identity of their own that have come to a node from one address within
     * {@link #CLIENT_IDLE_MILLIS}. No address alone can fill the tables; an nginx with 64 workers may reload once a
     * minute.
     */
    public static final int ADDRESS_CLIENTS_MAX = 1280;

    /** The latest writes of a client whose outcomes are known. */
    public static final int CLIENT_OUTCOMES_MAX = 1024;

    /**
     * What a call of the Java client takes in its memory while it is outstanding, without data: a future, a command, a
     * key.
     */
    public static final int CLIENT_CALL_BYTES = 512;

    /**
     * Bytes that the Java client hands to a socket at once. Nothing more is, before they are gone: what waits behind
     * them can still be taken back.
     */
    public static final int CLIENT_BATCH_BYTES = 64 * 1024;

    /** Requests that the Java client has under way on a connection; a node reads no more writes than so many ahead. */
    public static final int CLIENT_UNDER_WAY_MAX = CONNECTION_WRITES_OUTSTANDING_MAX;

    /** Bytes of values in the outcomes of all clients' writes; an outcome with one beyond that is forgotten at once. */
    public static final int CLIENTS_VALUE_BYTES_MAX = 64 * 1024 * 1024;

    /** Bytes of results in one message between nodes, unless a single one is larger. */
    public static final int PEER_RESULTS_BYTES_MAX = 1024 * 1024;

    /** Bytes of outcomes in one frame of a snapshot, unless a single one is larger. */
    public static final int SNAPSHOT_OUTCOMES_BYTES_MAX = 1024 * 1024;

    /**
     * Bytes of a snapshot's file that one of Raft's requests may ask for at most. Nodes of earlier versions ask for so
     * many, this one for fewer.
     */
    public static final int RAFT_CHUNK_BYTES = 4 * 1024 * 1024;

    /**
     * Bytes of a frame between nodes: a piece of a snapshot, with all headers. As many commands as share a log entry
     * fit, and so do their results.
     */
    public static final int PEER_FRAME_BYTES_MAX = RAFT_CHUNK_BYTES + 256 * 1024;

    /**
     * Bytes of the first frame on a connection between nodes, a greeting: a cluster's name and two nodes' names, with
     * their headers, and room for what later versions add.
     */
    public static final int PEER_GREETING_BYTES_MAX = 4 * 1024;

    /** Milliseconds after which a node that has nothing to say to another one says that it is there. */
    public static final int PEER_HEARTBEAT_MILLIS = 1_000;

    /**
     * So many times {@link #PEER_HEARTBEAT_MILLIS} without a byte end a connection between nodes: longer than most
     * pauses of a collector or a disk, and far shorter than TCP keeps a connection to a machine that is gone.
     */
    public static final int PEER_SILENT_HEARTBEATS_MAX = 5;

    /** Bytes of entries in one of Raft's requests, unless a single entry is larger. */
    public static final int RAFT_BODY_BYTES_MAX = 1024 * 1024;

    /**
     * Bytes of a frame of Raft's, on any port: a piece of a snapshot, or {@link #RAFT_BODY_BYTES_MAX} of log entries
     * and one more entry, with all headers.
     */
    public static final int RAFT_FRAME_BYTES_MAX = PEER_FRAME_BYTES_MAX;

    /**
     * Milliseconds in which a frame between nodes must arrive. Usually it takes a few; a link of 10 Mbit/s needs 4 s
     * for the longest.
     */
    public static final int PEER_FRAME_MILLIS_MAX = 10_000;

    /**
     * Connections of other nodes at one of the two ports for them: each has one to the Raft port, and to the other one
     * two for Raft and one from each of its event loops; with some for those that are just being replaced.
     */
    public static final int PEER_CONNECTIONS_MAX = 1024;

    /**
     * Bytes that incomplete frames may announce at one of these ports, or an eighth of {@link #processMemoryBytes} if
     * that is more: eight of the longest.
     */
    public static final int PEER_UNFINISHED_BYTES_MIN = 32 * 1024 * 1024;

    /**
     * Bytes of Raft's requests that wait for their responses, and of responses that wait to be sent, or an eighth of
     * {@link #processMemoryBytes} if that is more: half of it is for one connection, so that the longest frame fits.
     */
    public static final long RAFT_UNANSWERED_BYTES_MIN = 4L * RAFT_FRAME_BYTES_MAX;

    /**
     * Bytes of Raft's requests that may wait to be sent to a member on one connection, or an eighth of {@link
     * #processMemoryBytes} if that is less: with little room, a replicator gives up and starts over under load.
     */
    public static final int RAFT_UNSENT_BYTES_MAX = 128 * 1024 * 1024;

    /**
     * How far another node's term may be above a node's own. Each election adds one, and needs a majority; no group
     * gets that far while a node is away. With a term near the largest number no further election would be possible.
     */
    public static final long TERM_JUMP_MAX = 1_000_000;

    /**
     * The number of a command, of an origin or of a client: as large as {@link #COUNT_DIGITS_MAX} digits can be, so
     * that sums of numbers fit into 64 bits.
     */
    public static final long SEQUENCE_MAX = 999_999_999_999_999_999L;

    /** Characters of the name of a node. */
    public static final int NODE_NAME_CHARS_MAX = 255;

    /**
     * Bytes of commands that an outbox has sent to the leader and has no outcome of, unless a single one is larger.
     * Enough for many log entries, so that a link is never idle, and a bound on what either side holds for the other.
     */
    public static final int FORWARD_BYTES_IN_FLIGHT_MAX = 4 * 1024 * 1024;

    /**
     * Bytes of commands that an outbox holds, sent or not; beyond that it answers {@link ErrorCode#BUSY}. Most are
     * too short for {@code value-memory-bytes} to count, and they wait here for as long as nobody leads.
     */
    public static final int OUTBOX_BYTES_MAX = 64 * 1024 * 1024;

    /** Bytes of commands of one connection that wait in a leader: it reads on when half of them are in the log. */
    public static final int SESSION_BYTES_MAX = 4 * FORWARD_BYTES_IN_FLIGHT_MAX;

    /** Bytes of outcomes that wait for a node that does not read them; beyond that its connection is closed. */
    public static final int PEER_UNSENT_BYTES_MAX = 64 * 1024 * 1024;

    /**
     * Milliseconds that a TLS handshake may take: usually it is some milliseconds, and on a machine that has just
     * started with a full disk and all clients at once a second.
     */
    public static final int TLS_HANDSHAKE_MILLIS_MAX = 5_000;

    /**
     * Milliseconds that a connection for one question to another node may take, with its TLS handshake. With less than
     * a starved machine needs for a handshake (half a second was seen to be too little), handshakes would keep it busy
     * that are all given up; with more, a node whose process stands still would hold up too long those that wait for
     * all answers.
     */
    public static final int PEER_CONNECTION_MILLIS_MAX = 2_000;

    /**
     * TLS handshakes under way at a port, each of some 50 KiB; one more ends the oldest. More than a server does in a
     * second on one core, so that when all clients come at once, those that are given up would have had to wait too
     * long anyway.
     */
    public static final int TLS_HANDSHAKES_MAX = 4_096;

    /**
     * Steps of TLS handshakes that wait for the threads of clients, and as many for those of members; with one more its
     * connection ends. A handshake under way has one at most, and one that is over none. So all of three ports fit
     * (clients', Sharedance, admin), and those of a fourth, for handshakes that were given up a moment ago.
     */
    public static final int TLS_STEPS_WAITING_MAX = 4 * TLS_HANDSHAKES_MAX;

    /** Bytes of a TLS record with its header: as many as TLS 1.2 allows; TLS 1.3 allows fewer. */
    public static final int TLS_RECORD_BYTES_MAX = 5 + 16 * 1024 + 2048;

    /**
     * Bytes of whole records that wait for a step of their connection's TLS handshake: with more, nothing is read until
     * the step has been computed. What a client sends together with the end of its handshake usually fits.
     */
    public static final int TLS_HANDSHAKE_BYTES_MAX = 64 * 1024;

    /**
     * Into so many parts {@link #processMemoryBytes} is divided; one is for the unfinished TLS records and handshakes
     * of clients, one for those of members, each shared by the event loops in equal parts. With 1 GiB a part has room
     * for 3,000 of the longest records, and most are whole when they arrive. What is too much ends those that have not
     * gone on for the longest time.
     */
    public static final int TLS_UNFINISHED_PARTS = 16;

    /** The least that one event loop has of that: a handshake with {@link #TLS_HANDSHAKE_BYTES_MAX} fits. */
    public static final int TLS_UNFINISHED_BYTES_MIN = 512 * 1024;

    /**
     * Bytes that one connection encrypts, and that it reads and decrypts, in one turn of its event loop. A process
     * that has just started encrypts 4 MB a second: so many bytes take it 30 ms. A piece of a snapshot took it a
     * second, while followers waited for a sign of their leader on other connections of that loop.
     */
    public static final int TLS_TURN_BYTES_MAX = 128 * 1024;

    /** Days before the end of a certificate from which on a node says so in its log, once a day. */
    public static final int TLS_EXPIRY_WARN_DAYS = 14;

    /**
     * After so long without an applied entry, although some are committed, the apply thread hangs and the node must be
     * started again. No command takes more than a millisecond there; a collector's pause, or a machine that swaps, may
     * take seconds.
     */
    public static final int APPLY_STILL_SECONDS = 30;

    /** Connections to the admin port. One more ends the oldest, so that stalled clients never keep an operator out. */
    public static final int ADMIN_CONNECTIONS_MAX = 64;

    /** Bytes of the head of a request to the admin port, and of its body, which nothing needs so far. */
    public static final int ADMIN_REQUEST_BYTES_MAX = 8 * 1024;

    /**
     * Bytes that one read at the admin port takes, without TLS: all requests in them are decoded at once, also where
     * the first one is still being answered.
     */
    public static final int ADMIN_READ_BYTES = 2 * 1024;

    /**
     * How long a connection to the admin port may stand still, and how long a request may take to arrive as a whole,
     * counted from the answer before it.
     */
    public static final int ADMIN_IDLE_SECONDS = 30;

    /**
     * Between two events for the operators' page: often enough to see something happen, and seldom enough to cost
     * nothing.
     */
    public static final int PAGE_INTERVAL_SECONDS = 2;

    /**
     * How often the operators' page of a node may be open, so that {@link #ADMIN_CONNECTIONS_MAX} leaves room for
     * others.
     */
    public static final int PAGE_LISTENERS_MAX = 16;

    /** How long a page may take no event before its connection ends. */
    public static final int PAGE_STALL_SECONDS = 10;

    /** Lines of the log that the page shows. */
    public static final int PAGE_EVENTS_MAX = 40;

    /** Characters of such a line. With the other bounds here an event has less than 200 KB. */
    public static final int PAGE_EVENT_CHARACTERS_MAX = 400;

    /** Keys of which an event loop remembers what limits have refused: with their refusals less than 3 MB. */
    public static final int REFUSED_KEYS_MAX = 512;

    /** Refusals that are remembered of a key: enough to see who asks, and how often. */
    public static final int REFUSALS_OF_A_KEY_MAX = 8;

    /** Refusals of longer keys are not remembered. */
    public static final int REFUSED_KEY_BYTES_MAX = 512;

    /**
     * One command of so many, on average, is looked at for the keys that are named most: few enough to cost nothing,
     * and enough to see a key that is named 20 times a second.
     */
    public static final int HOT_KEY_SAMPLE = 16;

    /**
     * Keys that an event loop counts for that: one that has more than 1/64 of what was looked at is certainly among
     * them.
     */
    public static final int HOT_KEYS_COUNTED_MAX = 64;

    /** For how long they are counted before they are shown. */
    public static final int HOT_KEYS_SECONDS = 10;

    /** A key that was certainly seen so often is shown; less may be chance. */
    public static final int HOT_KEY_SEEN_MIN = 4;

    /** Keys that operators are shown: those named most, and those refused most. */
    public static final int HOT_KEYS_SHOWN_MAX = 20;

    /** The newest uses of a limit that an operator is shown. */
    public static final int USES_SHOWN_MAX = 20;

    /** Values of metrics in one event: some hundreds are normal. */
    public static final int PAGE_SAMPLES_MAX = 1_000;

    /** Characters of the secret that the admin port may ask for: with fewer, somebody could guess it. */
    public static final int ADMIN_TOKEN_CHARACTERS_MIN = 16;

    /** More than this is no token, but another file that was named by mistake. */
    public static final int ADMIN_TOKEN_CHARACTERS_MAX = 512;

    /** Policies whose decisions each event loop counts by name; what others decide is counted together. */
    public static final int POLICIES_COUNTED_MAX = 64;

    /** Regions that metrics show by name: the largest ones. The rest is shown as one. */
    public static final int REGIONS_SHOWN_MAX = 20;

    /** Regions that are told apart while the data is looked through; with more, the smallest are counted as one. */
    public static final int REGIONS_COUNTED_MAX = 4_096;

    /**
     * How long the snapshot for a backup may take, until its first byte is sent: more than any disk needs for a full
     * state.
     */
    public static final int BACKUP_SNAPSHOT_SECONDS_MAX = 600;

    /**
     * A client that takes no block of a backup (1 MiB) for so long is disconnected: old files stay on the disk
     * meanwhile.
     */
    public static final int BACKUP_STALL_SECONDS = 60;

    /**
     * Connections beyond {@code connections-max} of one port that are told so at the same time; more are closed without
     * a word. With TLS a refusal waits for the handshake, which the client may never begin.
     */
    public static final int REFUSED_CONNECTIONS_MAX = 16;

    /**
     * File descriptors that clients never get: they are for the files of the log, for snapshots (written, loaded,
     * copied), for the other nodes, for clients that are being refused at two ports, and for operators. Counted beyond
     * those that are open when the node has started.
     */
    public static final int DESCRIPTORS_RESERVED = 64 + 2 * REFUSED_CONNECTIONS_MAX + ADMIN_CONNECTIONS_MAX;

    /** A node that could take fewer clients than this does not start: the process may open too few files. */
    public static final int CONNECTIONS_MIN = 8;

    /** Event loops of a node. */
    public static final int THREADS_MAX = 64;

    /**
     * Bytes of state that every node has room for: with less than 64 MiB of heap none runs. A registration that says
     * less counts as this, so that it stops no other node's growth.
     */
    public static final long STATE_BYTES_MAX_MIN = 8L * 1024 * 1024;

    /**
     * Regions with a limit of their own: each write of an entry looks its region up, and a snapshot's start copies all.
     */
    public static final int REGION_LIMITS_MAX = 1024;

    /**
     * Entries evicted by one log entry, and bytes of their keys, unless a single key has more: removed within half a
     * millisecond.
     */
    public static final int EVICTIONS_MAX = 1024;

    public static final int EVICTIONS_BYTES_MAX = PURGE_BYTES_MAX;

    /** Bytes of a frame in a snapshot; one entry with a full value fits. */
    public static final int SNAPSHOT_FRAME_BYTES_MAX = VALUE_BYTES_MAX + 1024 * 1024;

    static {
        require(LINE_BYTES_MAX >= KEY_BYTES_MAX + 16 + 3 * (NUMBER_CHARS_MAX + 1), "a full line fits");
        require(
                LONG_LINE_BYTES_MAX >= LONG_KEY_BYTES_MAX + 16 + 10 * (NUMBER_CHARS_MAX + 8) + 16,
                "a full line with a long key and all options fits");
        require(COUNT_DIGITS_MAX < NUMBER_CHARS_MAX, "a count is a number");
        require(REPLY_LINE_BYTES_MAX >= ERROR_TEXT_BYTES_MAX + 64, "an error with its text fits into a reply's line");
        require(VALUE_BUDGET_STEP_BYTES < VALUE_BYTES_MAX, "the budget counts the large values");
        require(
                "sharedance::".length() + 3 * SHAREDANCE_KEY_BYTES_MAX <= KEY_BYTES_MAX,
                "a Sharedance key fits into a key");
        require(INLINE_VALUE_BYTES_MAX <= ENTRY_BYTES_MAX, "an inline value fits into an entry");
        require(CHUNK_BYTES <= ENTRY_BYTES_MAX, "a piece fits into an entry");
        require(
                ENTRY_REQUESTS_MAX >= ENTRY_COMMANDS_MAX
                        && ENTRY_REQUESTS_MAX >= MULTI_REQUESTS_MAX
                        && ENTRY_REQUESTS_MAX >= TAKES_MAX,
                "any single command fits into an entry, and as many plain ones as may share it");
        require(
                PEER_FRAME_BYTES_MAX
                        >= ENTRY_BYTES_MAX
                                + INLINE_VALUE_BYTES_MAX
                                + LONG_KEY_BYTES_MAX
                                + MULTI_RECORD_OVERHEAD_BYTES * MULTI_REQUESTS_MAX,
                "a full entry's commands fit into a frame");
        require(
                PEER_FRAME_BYTES_MAX >= PEER_RESULTS_BYTES_MAX + MULTI_OUTCOME_BYTES_MAX + 64 * ENTRY_COMMANDS_MAX,
                "results fit into a frame");
        require(
                RAFT_FRAME_BYTES_MAX
                        >= RAFT_BODY_BYTES_MAX
                                + ENTRY_BYTES_MAX
                                + INLINE_VALUE_BYTES_MAX
                                + LONG_KEY_BYTES_MAX
                                + 64 * MULTI_REQUESTS_MAX
                                + 64 * ENTRY_COMMANDS_MAX
                                + EVICTIONS_BYTES_MAX
                                + LONG_KEY_BYTES_MAX
                                + 64 * EVICTIONS_MAX,
                "full entries fit into Raft's frame");
        require(
                PEER_UNFINISHED_BYTES_MIN >= 2 * RAFT_FRAME_BYTES_MAX,
                "frames that arrive do not drive each other out");
        require(
                SESSION_BYTES_MAX > 3 * FORWARD_BYTES_IN_FLIGHT_MAX,
                "the outboxes of one connection never stop its leader from reading");
        require(TLS_HANDSHAKE_BYTES_MAX >= 2 * TLS_RECORD_BYTES_MAX, "a whole record is read during a handshake");
        require(OUTCOME_VALUE_BYTES_MAX <= ELEMENT_BYTES_MAX, "an element is the largest value of an outcome");
        require(
                SNAPSHOT_FRAME_BYTES_MAX > VALUE_BYTES_MAX + LONG_KEY_BYTES_MAX && LIST_BYTES_MAX <= VALUE_BYTES_MAX,
                "an entry fits into a snapshot frame");
        require(PURGE_BYTES_MAX + LONG_KEY_BYTES_MAX <= ENTRY_BYTES_MAX + INLINE_VALUE_BYTES_MAX, "freed keys fit");
    }

    /** Members of a cluster: each entry goes to all of them, and more than seven voters make it slower and no safer. */
    public static final int MEMBERS_MAX = 9;

    /**
     * Nodes that were members, whose last start is remembered: so many that none is forgotten while an operator still
     * replaces nodes, and few enough that they do not count beside what clients write.
     */
    public static final int REMOVED_NODES_MAX = 64;

    /**
     * With less room than this on the disk of its data, a start that fails is said to fail for that: log and snapshots
     * want some files at once.
     */
    public static final long DISK_FREE_BYTES_MIN = 4L * 1024 * 1024;

    /**
     * Room on the disk that the log takes at once: an append within it changes neither the file's size nor the disk's
     * list of blocks.
     */
    public static final long LOG_STEP_BYTES = 1024 * 1024;

    /** Of a file of the log. The log is cut off by whole files; a snapshot should let go of some of them. */
    public static final long LOG_SEGMENT_BYTES_MIN = LOG_STEP_BYTES;

    /** At the start, the last file is read to its end. */
    public static final long LOG_SEGMENT_BYTES_MAX = 32L * 1024 * 1024;

    /** Files of the log that hold nothing are kept to be used again, as much as one snapshot usually lets go of. */
    public static final long LOG_SPARE_BYTES_MAX = 256L * 1024 * 1024;

    /** Users of a cluster: a program or a tenant each. A change copies the list of them where it is applied. */
    public static final int USERS_MAX = 1_000;

    /** Characters of a user's name. */
    public static final int USER_NAME_CHARS_MAX = 64;

    /** Rights of a user: a command looks at each of them. */
    public static final int USER_RIGHTS_MAX = 32;

    /** Bytes of the pattern of a right. */
    public static final int RIGHT_PATTERN_BYTES_MAX = 255;

    /** Bytes of a secret that somebody has brought: as many as a random one of 256 bits in the shortest form. */
    public static final int SECRET_BYTES_MIN = 32;

    /** The most bytes of a secret. */
    public static final int SECRET_BYTES_MAX = 256;

    /** What is hashed before a secret. */
    public static final int SECRET_SALT_BYTES = 16;

    /** A SHA-256. */
    public static final int SECRET_HASH_BYTES = 32;

    /**
     * After a wrong secret its connection waits so long for the answer: who guesses, or is configured wrongly, costs
     * nothing.
     */
    public static final int WRONG_SECRET_DELAY_MILLIS = 1_000;

    private Limits() {}

    /**
     * The memory that limits are parts of, in bytes: the heap (-Xmx), or the buffers outside of it
     * (-XX:MaxDirectMemorySize) if they may take less.
     *
     * <p>What clients and members make a node hold is partly in such buffers, and a buffer may have two and a half
     * times the bytes that are counted. So there is room for an eighth of this for each of some purposes, and without
     * a look at the buffers a node with a large heap would come to its end by clients that do not read.
     */
    public static long processMemoryBytes() {
        long heap = Runtime.getRuntime().maxMemory();
        // Not asked of Netty: its first use writes to the log, and settings are read before it is known where that is.
        long buffers = Long.parseLong(ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .getVMOption("MaxDirectMemorySize")
                .getValue());
        // 0: not set, so as much as the heap.
        return buffers == 0 ? heap : Math.min(heap, buffers);
    }

    private static void require(boolean relation, String meaning) {
        if (!relation) {
            throw new AssertionError("limits contradict each other: " + meaning);
        }
    }
}
