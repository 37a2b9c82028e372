-- The tables of the contract with their names and columns, and Knowhost's own: meta, jobs, index_changes.

-- Facts about this database itself: its random id, by which followers notice that it was replaced.
create table meta (
    key   text not null primary key,
    value text not null
) strict;

create table tenants (
    id                integer primary key autoincrement,
    name              text not null,
    description       text,
    api_key           text not null,
    retriever_engines text not null default '{"engines":[]}',
    status            text default 'active',
    business          text not null,
    storage_quota     integer not null default 10737418240,
    storage_used      integer not null default 0,
    created_at        text not null,
    updated_at        text not null,
    deleted_at        text
) strict;
create index idx_tenants_api_key on tenants (api_key);
-- The contract's first tenant is 10000.
insert into sqlite_sequence (name, seq) values ('tenants', 9999);

create table users (
    id            text not null primary key,
    username      text not null,
    email         text not null,
    password_hash text not null,
    avatar        text,
    tenant_id     integer not null,
    is_active     integer not null default 1,
    created_at    text not null,
    updated_at    text not null,
    deleted_at    text
) strict;
-- Deleted users keep their names and addresses, as in the reference.
create unique index idx_users_username on users (username);
create unique index idx_users_email on users (email);
create index idx_users_tenant_id on users (tenant_id);

create table auth_tokens (
    id         text not null primary key,
    user_id    text not null,
    token      text not null,
    token_type text not null,
    expires_at text not null,
    is_revoked integer not null default 0,
    created_at text not null,
    updated_at text not null
) strict;
create index idx_auth_tokens_user_id on auth_tokens (user_id);
-- Every request with a token looks it up by its text.
create index idx_auth_tokens_token on auth_tokens (token);
create index idx_auth_tokens_expires_at on auth_tokens (expires_at);

create table models (
    id          text not null primary key,
    tenant_id   integer not null,
    name        text not null,
    type        text not null,
    source      text not null,
    description text,
    parameters  text not null,
    is_default  integer not null default 0,
    status      text not null default 'active',
    created_at  text not null,
    updated_at  text not null,
    deleted_at  text
) strict;
create index idx_models_tenant_type on models (tenant_id, type);

create table knowledge_bases (
    id                        text not null primary key,
    name                      text not null,
    description               text,
    tenant_id                 integer not null,
    chunking_config           text not null,
    image_processing_config   text not null,
    embedding_model_id        text not null,
    summary_model_id          text not null,
    rerank_model_id           text not null,
    vlm_model_id              text not null,
    cos_config                text not null default '{}',
    vlm_config                text not null default '{}',
    extract_config            text,
    -- What the vectors of this knowledge base were made with; null until the first document is embedded.
    fixed_embedding_model_id  text,
    fixed_embedding_dimension integer,
    fixed_embedding_digest    text,
    created_at                text not null,
    updated_at                text not null,
    deleted_at                text
) strict;
create index idx_knowledge_bases_tenant_id on knowledge_bases (tenant_id, created_at);

create table knowledges (
    id                 text not null primary key,
    tenant_id          integer not null,
    knowledge_base_id  text not null,
    type               text not null,
    title              text not null,
    description        text,
    source             text not null,
    parse_status       text not null default 'unprocessed',
    enable_status      text not null default 'enabled',
    embedding_model_id text,
    file_name          text,
    file_type          text,
    file_size          integer,
    file_path          text,
    file_hash          text,
    storage_size       integer not null default 0,
    metadata           text,
    created_at         text not null,
    updated_at         text not null,
    processed_at       text,
    error_message      text,
    -- The change that made its chunks visible to the followers; null as long as nothing of it may be found.
    published_sequence integer,
    deleted_at         text
) strict;
create index idx_knowledges_base_id on knowledges (knowledge_base_id, created_at);
create index idx_knowledges_base_hash on knowledges (knowledge_base_id, file_hash);
-- Who else uses a file is asked at every deletion. The reference's index on the tenant is left out: it lured the planner away.
create index idx_knowledges_file_path on knowledges (file_path) where file_path <> '';

create table chunks (
    id                       text not null primary key,
    tenant_id                integer not null,
    knowledge_base_id        text not null,
    knowledge_id             text not null,
    content                  text not null,
    chunk_index              integer not null,
    is_enabled               integer not null default 1,
    start_at                 integer not null,
    end_at                   integer not null,
    pre_chunk_id             text,
    next_chunk_id            text,
    chunk_type               text not null default 'text',
    parent_chunk_id          text,
    image_info               text,
    relation_chunks          text,
    indirect_relation_chunks text,
    created_at               text not null,
    updated_at               text not null,
    deleted_at               text
) strict;
create index idx_chunks_knowledge on chunks (knowledge_id, chunk_index);
create index idx_chunks_base_id on chunks (knowledge_base_id);
-- Few chunks have a parent; the others need no entry.
create index idx_chunks_parent_id on chunks (parent_chunk_id) where parent_chunk_id <> '';

-- The reference's table with the vector as f32 little-endian, and what made it. `content` stays null here: the chunk row holds the text.
create table embeddings (
    id                integer primary key autoincrement,
    created_at        text not null,
    updated_at        text not null,
    source_id         text not null,
    source_type       integer not null,
    chunk_id          text,
    knowledge_id      text,
    knowledge_base_id text,
    content           text,
    dimension         integer not null,
    embedding         blob,
    tenant_id         integer,
    model_id          text,
    digest            text
) strict;
create unique index embeddings_unique_source on embeddings (source_id, source_type);
create index idx_embeddings_knowledge_id on embeddings (knowledge_id);
create index idx_embeddings_base_id on embeddings (knowledge_base_id);

create table sessions (
    id                 text not null primary key,
    tenant_id          integer not null,
    title              text,
    description        text,
    knowledge_base_id  text,
    max_rounds         integer not null default 5,
    enable_rewrite     integer not null default 1,
    fallback_strategy  text not null default 'fixed',
    fallback_response  text not null,
    keyword_threshold  real not null default 0.5,
    vector_threshold   real not null default 0.5,
    rerank_model_id    text,
    embedding_top_k    integer not null default 10,
    rerank_top_k       integer not null default 10,
    rerank_threshold   real not null default 0.65,
    summary_model_id   text,
    summary_parameters text not null default '{}',
    created_at         text not null,
    updated_at         text not null,
    deleted_at         text
) strict;
create index idx_sessions_tenant_id on sessions (tenant_id, created_at);

create table messages (
    id                   text not null primary key,
    request_id           text not null,
    session_id           text not null,
    role                 text not null,
    content              text not null,
    knowledge_references text not null default '[]',
    is_completed         integer not null default 0,
    created_at           text not null,
    updated_at           text not null,
    deleted_at           text
) strict;
create index idx_messages_session_id on messages (session_id, created_at);

-- Durable work. A lease ends by itself when its holder falls silent.
create table jobs (
    id            integer primary key autoincrement,
    kind          text not null,
    tenant_id     integer not null,
    -- The row that the work is about, e.g. a knowledge id.
    subject_id    text not null,
    payload       text not null,
    state         text not null,
    priority      integer not null,
    attempt       integer not null,
    attempts_max  integer not null,
    -- Times that a server died or was killed while it held the lease; they count against a bound of their own.
    interruptions integer not null default 0,
    lease_owner   text,
    lease_until   text,
    run_after     text not null,
    stage         text not null default '',
    percent       integer not null default 0,
    progress_text text not null default '',
    error         text not null default '',
    created_at    text not null,
    updated_at    text not null
) strict;
create index idx_jobs_ready on jobs (state, tenant_id, priority desc, id);
create index idx_jobs_subject on jobs (subject_id, kind);

-- What followers have to apply, in order. Numbers are never used twice.
create table index_changes (
    sequence          integer primary key autoincrement,
    tenant_id         integer not null,
    knowledge_base_id text not null,
    action            text not null check (action in ('upsert', 'delete')),
    chunk_ids         text not null,
    created_at        text not null
) strict;
