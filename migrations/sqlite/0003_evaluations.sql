-- Evaluation runs and what each of their questions gave, so that a run goes on after a kill where it stopped.

create table evaluations (
    id         text not null primary key,
    tenant_id  integer not null,
    dataset_id text not null,
    -- 0 pending, 1 running, 2 succeeded, 3 failed: the contract's numbers.
    status     integer not null check (status between 0 and 3),
    error      text not null default '',
    -- Questions of the dataset; 0 until it was read.
    total      integer not null default 0,
    params     text not null,
    started_at text not null,
    updated_at text not null
) strict;
create index idx_evaluations_tenant_id on evaluations (tenant_id, status);

-- One row for each answered question; null where the dataset has nothing to compare with.
create table evaluation_results (
    evaluation_id     text not null,
    question_id       integer not null,
    set_precision     real,
    set_recall        real,
    ndcg3             real,
    ndcg10            real,
    reciprocal_rank   real,
    average_precision real,
    bleu1             real,
    bleu2             real,
    bleu4             real,
    rouge1            real,
    rouge2            real,
    rougel            real,
    primary key (evaluation_id, question_id)
) strict;
