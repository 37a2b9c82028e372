//! Every limit, with its unit in its name and its reason beside it.
//!
//! Settings may lower most of them; a plugin's manifest can only lower its own.

use std::time::Duration;

// ---- requests ----------------------------------------------------------
/// JSON bodies: the largest that a known client sends is a session with its prompts, far below this.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Fields of a form; the contract knows three.
pub const FORM_FIELDS_MAX: usize = 16;
/// A field of a form that is no file: metadata of a document.
pub const FORM_FIELD_BYTES_MAX: usize = 1 << 20;
/// Uploads: what the reference's proxy lets through is 50 MB; twice that for those without a proxy.
pub const UPLOAD_BYTES_MAX: u64 = 100 << 20;
/// `messages.request_id` holds 36 characters.
pub const REQUEST_ID_CHARS_MAX: usize = 36;
/// A query longer than this is refused before retrieval, as the reference does.
pub const QUERY_BYTES_MAX: usize = 10_000;
/// Nesting of a JSON body; the deepest that the contract knows is 5.
pub const JSON_DEPTH_MAX: usize = 100;
/// Values in one JSON body: a parsed value takes more memory than its text.
pub const JSON_VALUES_MAX: usize = 200_000;
/// Hits asked for in one search.
pub const MATCH_COUNT_MAX: usize = 200;
pub const PAGE_SIZE_MAX: i64 = 100;
/// Open connections; the goal is 1,000 streams at once, and browsers open several each.
pub const CONNECTIONS_MAX: usize = 4_096;
/// For the head of a request, and for the next one on an idle connection.
pub const HEADERS_WAIT: Duration = Duration::from_secs(120);
/// For a JSON body: who takes longer holds a connection for nothing.
pub const BODY_WAIT: Duration = Duration::from_secs(60);
/// Streams get this long to end after a signal.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// A comment line keeps proxies from closing a silent stream.
pub const SSE_KEEP_ALIVE: Duration = Duration::from_secs(15);

// ---- chat --------------------------------------------------------------
/// A context template or prompt: the longest shipped one is 3 kB.
pub const TEMPLATE_BYTES_MAX: usize = 64 << 10;
/// Steps and 64-byte pieces of text that rendering may take; the default template takes some 50.
pub const TEMPLATE_STEPS_MAX: u64 = 200_000;
/// A rendered prompt; more than any model reads.
pub const TEMPLATE_OUTPUT_BYTES_MAX: usize = 4 << 20;
/// Blocks in blocks, parentheses in parentheses, templates that call templates.
pub const TEMPLATE_DEPTH_MAX: usize = 100;
/// Width and precision in `printf`.
pub const TEMPLATE_PRINTF_WIDTH_MAX: u64 = 1_000;
/// Answers under way or just ended: the goal is 1,000 at once.
pub const STREAMS_MAX: usize = 10_000;
/// An ended answer can be followed this long, as in the reference.
pub const STREAM_KEPT: Duration = Duration::from_secs(30);
/// Text of one answer; more than any model writes in one go.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
pub const ANSWER_PIECES_MAX: usize = 200_000;
/// An answer from question to end; slow models on old machines write for minutes.
pub const ANSWER_TIME: Duration = Duration::from_secs(600);
/// An answer under way belongs to its process this long after the process was last heard of; renewed three times as often.
pub const ANSWER_LEASE: Duration = Duration::from_secs(60);
/// A model may load itself before it accepts a request.
pub const OPEN_TIME: Duration = Duration::from_secs(120);
pub const REWRITE_TIME: Duration = Duration::from_secs(20);
pub const SEARCH_TIME: Duration = Duration::from_secs(30);
pub const RERANK_TIME: Duration = Duration::from_secs(30);
pub const TITLE_TIME: Duration = Duration::from_secs(60);
/// A title or rewritten question with all its thinking.
pub const COLLECTED_BYTES_MAX: usize = 256 << 10;
/// Rounds that are looked at, whatever a session says.
pub const HISTORY_ROUNDS_MAX: usize = 50;

// ---- access ------------------------------------------------------------
/// bcrypt reads no further.
pub const PASSWORD_BYTES_MAX: usize = 72;
/// A login waits this long for a free core, then it is told to come back.
pub const PASSWORD_WAIT: Duration = Duration::from_secs(10);
pub const PASSWORD_WAITERS_MAX: usize = 256;
/// Wrong passwords for one account within [`LOGIN_WINDOW`]: enough for forgetful people, too few for guessing.
pub const LOGIN_FAILURES_PER_ACCOUNT_MAX: u32 = 10;
/// Wrong passwords from one address: an office may stand behind it.
pub const LOGIN_FAILURES_PER_ADDRESS_MAX: u32 = 100;
pub const LOGIN_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Accounts and addresses that are counted at a time.
pub const LOGIN_TRACKED_MAX: usize = 20_000;
/// The two tokens of one login of the reference are stored within this time.
pub const PAIR_WITHIN: Duration = Duration::from_secs(1);
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 3600);
pub const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a new tenant may store: 10 GiB, as the contract has it.
pub const STORAGE_QUOTA_BYTES_DEFAULT: i64 = 10 << 30;

// ---- plugins -----------------------------------------------------------
/// Calls that share a network instance: a trap touches no more than these.
pub const PLUGIN_CALLS_PER_INSTANCE: usize = 64;
/// CPU of one turn of a network plugin.
pub const PLUGIN_TURN_NETWORK: Duration = Duration::from_millis(20);
/// CPU that a turn gets beyond that for each MiB of pictures in its call, up to a compute plugin's turn: they are encoded as text, in JSON.
pub const PLUGIN_TURN_PER_PICTURE_MIB: Duration = Duration::from_millis(50);
/// CPU of one turn of a compute plugin: a batch is cut so that a turn takes about 50 ms; twenty times that is a fault.
pub const PLUGIN_TURN_COMPUTE: Duration = Duration::from_secs(1);
/// Warm-up parses dictionaries and tables once for each new component.
pub const PLUGIN_WARM: Duration = Duration::from_secs(30);
/// A turn may wait this many times its CPU limit in wall time when the machine is busy.
pub const PLUGIN_TURN_WALL_FACTOR: u32 = 50;
/// All shipped components in a process of its own: ten seconds of work, on a machine that may be busy.
pub const PLUGIN_COMPILE: Duration = Duration::from_secs(300);
pub const PLUGIN_EPOCH_TICK: Duration = Duration::from_millis(5);
/// Linear memory of an instance.
pub const PLUGIN_MEMORY_BYTES_MAX: usize = 256 << 20;
/// A component file larger than this is not read.
pub const PLUGIN_COMPONENT_BYTES_MAX: u64 = 64 << 20;
/// Files of one plugin together; they are in memory while it warms up.
pub const PLUGIN_FILES_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a file that a plugin gets at once.
pub const PLUGIN_FILE_PIECE_BYTES_MAX: usize = 1 << 20;
/// An archive or file that `models get` fetches.
pub const MODEL_DOWNLOAD_BYTES_MAX: u64 = 2 << 30;
pub const MODEL_REDIRECTS_MAX: usize = 5;
/// The time that a server may leave `models get` without a byte.
pub const MODEL_DOWNLOAD_SILENCE: Duration = Duration::from_secs(60);
/// Addresses of model rows that a start holds against the rule of private addresses.
pub const MODEL_ADDRESSES_CHECKED_MAX: u32 = 1_000;
pub const PLUGIN_ASKS_PER_STEP_MAX: usize = 256;
pub const PLUGIN_AUTHS_PER_REQUEST_MAX: usize = 4;
pub const PLUGIN_OPEN_OPS_MAX: usize = 64;
pub const PLUGIN_REQUEST_BODY_BYTES_MAX: usize = 32 << 20;
pub const PLUGIN_RESPONSE_BYTES_MAX: u64 = 256 << 20;
pub const PLUGIN_CHUNK_BYTES_MAX: usize = 64 << 10;
pub const PLUGIN_HEADERS_BYTES_MAX: usize = 64 << 10;
pub const PLUGIN_LOG_LINES_PER_CALL_MAX: usize = 100;
pub const PLUGIN_LOG_LINE_BYTES_MAX: usize = 2_000;
pub const PLUGIN_EXCHANGE: Duration = Duration::from_secs(300);
pub const PLUGIN_CONNECT: Duration = Duration::from_secs(10);
/// An idle instance whose memory grew beyond this is replaced.
pub const PLUGIN_RECYCLE_BYTES: usize = 128 << 20;
pub const PLUGIN_RECYCLE_CALLS: u64 = 1_000_000;
/// An instance older than this takes no new calls.
pub const PLUGIN_RECYCLE_AGE: Duration = Duration::from_secs(3600);
/// Live instances of all plugins together; only address space is set aside for them.
pub const PLUGIN_INSTANCES_MAX: u32 = 512;
/// Network instances of one kind of a plugin: 64 calls each make more than 10,000 streams.
pub const PLUGIN_NETWORK_INSTANCES_MAX: usize = 160;
/// Core instances and tables in one component: a language runtime brings a dozen.
pub const PLUGIN_CORE_INSTANCES_MAX: usize = 64;
pub const PLUGIN_TABLE_ELEMENTS_MAX: usize = 20_000;
/// What one step may hand to the host: a batch of vectors or a page of results, with room to spare.
pub const PLUGIN_STEP_BYTES_MAX: usize = 64 << 20;
/// Deltas of one step: one chunk of a body holds a few hundred events at most.
pub const PLUGIN_DELTAS_PER_STEP_MAX: usize = 10_000;
pub const PLUGIN_DELTA_BYTES_MAX: usize = 1 << 20;
/// What a call was told, packed, so that it can be told to a fresh instance when a neighbour traps: some ten thousand events of a stream.
pub const PLUGIN_RECORD_BYTES_MAX: usize = 256 << 10;
/// All these records of one plugin: more than 10,000 usual streams need.
pub const PLUGIN_RECORDS_BYTES_MAX: usize = 64 << 20;
/// A call is rebuilt this often; each time costs a few microseconds for each of its events.
pub const PLUGIN_REBUILDS_MAX: u32 = 32;
/// A call without output and without a record (it became too long) is started again this often when neighbours of its instance trap.
pub const PLUGIN_RESTARTS_MAX: u32 = 3;
/// Faults in a row before a plugin is paused, and the shortest and longest pause.
pub const PLUGIN_FAULTS_IN_A_ROW_MAX: u32 = 5;
pub const PLUGIN_PAUSE_MIN: Duration = Duration::from_secs(1);
pub const PLUGIN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Tenants whose own instances of a third-party plugin are kept at once.
pub const PLUGIN_TENANT_POOLS_MAX: usize = 64;
/// An exchange for which a plugin names a longer time than `PLUGIN_EXCHANGE` (a model of many gigabytes is fetched).
pub const PLUGIN_EXCHANGE_MAX: Duration = Duration::from_secs(12 * 3600);
/// A name is asked for again after this time.
pub const PLUGIN_NAME_KEPT: Duration = Duration::from_secs(30);
pub const PLUGIN_NAMES_KEPT_MAX: usize = 1_000;
/// Idle connections kept for each host.
pub const PLUGIN_CONNECTIONS_IDLE_MAX: usize = 16;
/// The small store of a plugin, for each tenant; a manifest can ask for less.
pub const PLUGIN_CACHE_BYTES_MAX: usize = 16 << 20;
/// All these stores together.
pub const PLUGIN_CACHES_BYTES_MAX: usize = 128 << 20;
pub const PLUGIN_CACHE_KEY_BYTES_MAX: usize = 1_024;
/// Words of one list of texts; a plain call without a caller's deadline.
pub const PLUGIN_TOKENIZE: Duration = Duration::from_secs(120);
/// A recorded call of a plugin, and recordings beside one plugin.
pub const RECORDING_BYTES_MAX: u64 = 8 << 20;
pub const RECORDINGS_MAX: usize = 200;
/// A call of a plugin that is tried out from the command line.
pub const PLUGIN_TRY: Duration = Duration::from_secs(120);
/// A call of a plugin that is checked, and one that shall run out of time.
pub const CHECK_CALL: Duration = Duration::from_secs(20);
pub const CHECK_SHORT: Duration = Duration::from_millis(200);
/// Text tokenized in one turn: about 20 ms.
pub const TOKENIZE_BATCH_BYTES: usize = 1 << 20;
/// A model called by a model called by a model: deeper is a loop.
pub const PLUGIN_MODEL_DEPTH_MAX: u8 = 3;
/// Calls of other models within one call of a plugin: each may cost its tenant money.
pub const PLUGIN_MODEL_CALLS_MAX: usize = 32;
/// Texts and bytes of one of them.
pub const PLUGIN_MODEL_TEXTS_MAX: usize = 256;
pub const PLUGIN_MODEL_BYTES_MAX: usize = 4 << 20;
/// Output that a plugin may have another model write, and what a token counts when a provider does not.
pub const PLUGIN_MODEL_OUTPUT_TOKENS_MAX: u32 = 4_096;
pub const PLUGIN_MODEL_TOKEN_BYTES: usize = 16;

// ---- ingestion ---------------------------------------------------------
/// Text of one document after parsing.
pub const PARSED_BYTES_MAX: usize = 32 << 20;
pub const PARSE_TIME: Duration = Duration::from_secs(120);
pub const PARSE_ADDRESS_SPACE_BYTES: u64 = 2 << 30;
pub const CHUNK_SIZE_MAX: i64 = 100_000;
/// A document of this many chunks of the default size has about forty thousand pages.
pub const CHUNKS_PER_KNOWLEDGE_MAX: usize = 200_000;
/// What a child that parses may write on its standard error before the rest is thrown away.
pub const PARSE_STDERR_BYTES_MAX: u64 = 8 << 10;
/// Children that parse at the same time: each may take the whole address space of one.
pub const PARSERS_AT_ONCE: usize = 2;
/// A summary is a few sentences; a model that writes on and on is stopped here.
pub const SUMMARY_BYTES_MAX: usize = 64 << 10;
/// A document is worth its import without a summary, so its model may not keep it waiting for long.
pub const SUMMARY_TIME: Duration = Duration::from_secs(120);
/// An index that does not show a change after this is not well; the job is tried again later.
pub const INDEX_WAIT: Duration = Duration::from_secs(120);
/// A delete answers when no search finds the document; after this it answers that it takes longer.
pub const DELETE_WAIT: Duration = Duration::from_secs(30);
/// One text, while somebody waits.
pub const EMBED_ONE_TIME: Duration = Duration::from_secs(60);
/// Texts embedded in one call.
pub const EMBED_BATCH_TEXTS: usize = 32;
pub const JOB_LEASE: Duration = Duration::from_secs(60);
pub const JOB_ATTEMPTS_MAX: i64 = 5;

// ---- database ----------------------------------------------------------
/// Another process holds the write lock this long only when something is wrong.
pub const DATABASE_BUSY: Duration = Duration::from_secs(10);
/// Waiting for a connection: longer than any transaction, shorter than a client's patience.
pub const DATABASE_ACQUIRE: Duration = Duration::from_secs(30);
pub const DATABASE_READERS_MAX: u32 = 8;
/// Names, titles and file names, as the contract's columns hold them.
pub const NAME_CHARS_MAX: usize = 255;
pub const USERNAME_CHARS_MAX: usize = 100;
/// Ids of knowledge bases, knowledge, chunks, sessions and messages.
pub const ID_CHARS_MAX: usize = 36;
pub const MODEL_ID_CHARS_MAX: usize = 64;
pub const MODEL_SOURCE_CHARS_MAX: usize = 50;
/// The reference's column holds 128; longer addresses exist, and it checks 2048 itself.
pub const SOURCE_CHARS_MAX: usize = 2048;
pub const AVATAR_CHARS_MAX: usize = 500;
/// Answers of one query that are kept until their table changes, at one or two kilobytes each.
pub const KEPT_ROWS_MAX: usize = 1_000;
/// A longer list is read anew each time.
pub const KEPT_LIST_ROWS_MAX: usize = 100;
/// Rows of an index rebuild read at once: 512 rows of 512 floats are 1 MB.
pub const INDEX_ROWS_MAX: i64 = 512;
/// Documents of a deleted knowledge base cleared in one transaction: other writers wait for it.
pub const PURGE_BATCH_KNOWLEDGE: i64 = 16;

/// Deleted rows stay this long, for those who have to look what was deleted; a database of the reference keeps them for ever.
pub const DELETED_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// A file gets its key seconds before its row is written; older ones without a row were left by a kill.
pub const UNOWNED_FILE_AGE: Duration = Duration::from_secs(3600);
/// How often it is looked for what was deleted long ago.
pub const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Rows removed in one transaction: other writers wait for it.
pub const PURGE_BATCH_ROWS: i64 = 500;
/// Batches of one sweep, so that documents do not wait behind a large one; the next sweep goes on.
pub const PURGE_BATCHES_MAX: usize = 200;
/// Keys of files compared with their rows in one query.
pub const FILES_LOOKED_AT_ONCE: usize = 1_000;

// ---- index -------------------------------------------------------------
/// Components of a vector: what Postgres' half-precision vectors hold, so that data can move there.
pub const VECTOR_DIMENSION_MAX: usize = 16_000;
/// Words that wait in memory for a commit of the keyword index; the engine flushes a segment beyond it.
pub const INDEX_WRITER_BYTES: usize = 32 << 20;
/// Chunk ids whose rows the index writer remembers between commits, at about 40 bytes each.
pub const INDEX_PLACES_MAX: usize = 250_000;
/// Knowledge bases whose word statistics are remembered for a segment.
pub const INDEX_STATISTICS_MAX: usize = 10_000;
/// Large searches that run at once; more would only share the memory bandwidth.
pub const INDEX_SEARCHES_MAX: usize = 8;
/// Vector searches that share one pass: their candidates wait in memory until its end.
pub const INDEX_PASS_SEARCHES_MAX: usize = 32;
/// A longer word is a blob that nobody types.
pub const WORD_BYTES_MAX: usize = 128;
/// Index changes that a follower takes up in one commit.
pub const INDEX_CHANGES_PER_COMMIT: i64 = 256;
/// Changes that stay in SQL behind the follower, so that an index that lost its last commits catches up without a rebuild.
pub const INDEX_CHANGES_KEPT: i64 = 10_000;
/// Texts tokenized in one call by a follower.
pub const TOKENIZE_BATCH_TEXTS: usize = 64;
/// A follower looks for changes this often even when nobody tells it.
pub const INDEX_POLL: Duration = Duration::from_secs(2);
pub const INDEX_RETRY_MIN: Duration = Duration::from_millis(100);
pub const INDEX_RETRY_MAX: Duration = Duration::from_secs(30);
/// After so many failures in a row the index itself is taken for the cause and rebuilt.
pub const INDEX_FAILURES_MAX: u32 = 5;
/// A comparison of the index with the database: both are read whole.
pub const INDEX_VERIFY_TIME: Duration = Duration::from_secs(600);
/// Ids of differences that a verification names; it counts all.
pub const INDEX_DIFFERENCES_SHOWN: usize = 20;
/// What an absent or zero match count means.
pub const MATCH_COUNT_DEFAULT: usize = 10;
/// Values of each part of a search filter.
pub const SEARCH_FILTER_VALUES_MAX: usize = 1_000;
/// Vectors of queries that are kept, at about 2 kB each.
pub const QUERY_EMBEDDINGS_MAX: usize = 256;
/// A chat asks for the same text more than once within a request; an embedder that was exchanged is noticed soon.
pub const QUERY_EMBEDDING_AGE: Duration = Duration::from_secs(60);
/// Different words of one query that are looked up.
pub const QUERY_WORDS_MAX: usize = 512;

// ---- initialization -----------------------------------------------------
/// The settings page's own patience is 30 s; a probe answers before that.
pub const PROBE_TIME: Duration = Duration::from_secs(25);
/// Asking a model server on the way for its version or its models.
pub const CATALOGUE_TIME: Duration = Duration::from_secs(10);
/// A model of many gigabytes over a slow line, as the reference has it.
pub const PULL_TIME: Duration = Duration::from_secs(12 * 3600);
/// Failures that may pass by themselves; restarts of the server do not count.
pub const PULL_ATTEMPTS_MAX: i64 = 3;
/// Models fetched at once: they share one line.
pub const PULLS_AT_ONCE: usize = 2;
/// Downloads of one tenant that wait or run.
pub const PULLS_WAITING_MAX: i64 = 20;
/// Downloads that a list shows; ended ones are forgotten after [`JOB_KEPT`].
pub const PULLS_SHOWN_MAX: i64 = 100;
/// How often the progress of a download is written down.
pub const PULL_SAVE: Duration = Duration::from_secs(2);
/// Names in one question which models are installed.
pub const CHECKED_MODELS_MAX: usize = 1_000;
/// A provider's own words in an answer.
pub const PROVIDER_TEXT_CHARS_MAX: usize = 500;
/// A text that entities and relations are taken from.
pub const EXTRACT_TEXT_CHARS_MAX: usize = 5_000;
/// Kinds of relation, and all their text.
pub const EXTRACT_TAGS_MAX: usize = 100;
pub const EXTRACT_TAG_CHARS_MAX: usize = 100;
/// A generating model on an old machine writes for a while.
pub const EXTRACT_TIME: Duration = Duration::from_secs(120);
/// Entities and relations of one extraction.
pub const EXTRACT_ITEMS_MAX: usize = 1_000;
/// A picture for a test of a vision model, as the contract has it.
pub const TEST_IMAGE_BYTES_MAX: usize = 10 << 20;

// ---- pages -------------------------------------------------------------
/// A web page or a document behind an address: what an upload through the reference's proxy may have.
pub const PAGE_BYTES_MAX: u64 = 50 << 20;
/// From the first connection to the last byte.
pub const PAGE_TIME: Duration = Duration::from_secs(60);
pub const PAGE_REDIRECTS_MAX: usize = 5;
/// A server that does not answer is asked this often.
pub const PAGE_TRIES_MAX: u32 = 3;
/// After the first try; after the next ones as many times longer.
pub const PAGE_TRY_WAIT: Duration = Duration::from_secs(1);

// ---- jobs --------------------------------------------------------------
/// The wait after the first failed attempt; each further one waits `JOB_BACKOFF_FACTOR` times as long, up to the maximum.
pub const JOB_BACKOFF: Duration = Duration::from_secs(2);
pub const JOB_BACKOFF_FACTOR: u32 = 4;
pub const JOB_BACKOFF_MAX: Duration = Duration::from_secs(300);
/// Workers are woken by a notification; this is how long a missed one delays a job.
pub const JOB_POLL: Duration = Duration::from_secs(2);
/// An attempt that takes longer hangs.
pub const JOB_TIME_MAX: Duration = Duration::from_secs(2 * 3600);
/// A server that is killed this often in the middle of one job is killed by it.
pub const JOB_INTERRUPTIONS_MAX: i64 = 50;
/// Ended jobs stay this long for those who ask how an upload went.
pub const JOB_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
pub const JOB_CLEANING: Duration = Duration::from_secs(3600);
/// Attempts to write down that a job failed, after its own attempts.
pub const JOB_GIVE_UP_ATTEMPTS_MAX: i64 = 5;

// ---- evaluation --------------------------------------------------------
/// Names of folders.
pub const DATASET_ID_CHARS_MAX: usize = 64;
/// One file of a dataset; passages of a hundred thousand rows have about 30 MB.
pub const DATASET_FILE_BYTES_MAX: u64 = 64 << 20;
/// Columns of one file when they are unpacked.
pub const DATASET_UNPACKED_BYTES_MAX: usize = 256 << 20;
/// As many passages as a document may have chunks.
pub const DATASET_ROWS_MAX: usize = CHUNKS_PER_KNOWLEDGE_MAX;
/// One passage or answer, about ten pages.
pub const DATASET_TEXT_BYTES_MAX: usize = 64 << 10;
/// All texts of one file.
pub const DATASET_TEXTS_BYTES_MAX: usize = 256 << 20;
/// Each asks a model for an answer: more would take days.
pub const DATASET_QUESTIONS_MAX: usize = 10_000;
/// Runs at once; the others wait, so that evaluations never take the machine from those who ask.
pub const EVALUATIONS_AT_ONCE: usize = 1;
/// Questions of a run that are answered at the same time.
pub const EVALUATION_QUESTIONS_AT_ONCE: usize = 4;
/// Runs of a tenant that wait or work.
pub const EVALUATIONS_OPEN_MAX: i64 = 16;
/// A question whose model does not answer is asked again this often in all, and not for as long as a document would wait.
pub const EVALUATION_ATTEMPTS_MAX: i64 = 3;
/// One attempt at all questions that are left; finished ones are never asked again.
pub const EVALUATION_TIME_MAX: Duration = Duration::from_secs(24 * 3600);
