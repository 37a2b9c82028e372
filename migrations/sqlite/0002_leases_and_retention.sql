-- Who writes an answer that is under way, in a table of Knowhost's own: the contract's messages stay as they are. A process that falls
-- silent loses its leases, and the answer is closed as far as it came. A message without a lease here is nobody's business.
create table answer_leases (
    message_id  text not null primary key,
    lease_owner text not null,
    lease_until text not null
) strict;
create index idx_answer_leases_owner on answer_leases (lease_owner);

-- What was deleted is removed for good after a while; these find it without looking at what lives.
create index idx_chunks_deleted_at on chunks (deleted_at) where deleted_at is not null;
create index idx_knowledges_deleted_at on knowledges (deleted_at) where deleted_at is not null;
create index idx_knowledge_bases_deleted_at on knowledge_bases (deleted_at) where deleted_at is not null;
create index idx_sessions_deleted_at on sessions (deleted_at) where deleted_at is not null;
create index idx_messages_deleted_at on messages (deleted_at) where deleted_at is not null;
create index idx_models_deleted_at on models (deleted_at) where deleted_at is not null;
