//! Opening, migrating, closing; times and pages as properties.

use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::testing::{a_kb, a_knowledge, a_tenant, open};
use crate::store::{KnowledgeFilter, Page, Store};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_database_keeps_its_rows_and_its_id_when_it_is_opened_again() {
    let test = open().await;
    let scope = a_tenant(&test.store, "ann").await;
    let id = test.store.database_id().to_string();
    test.store.save_fact("sample", "made").await.expect("keeps");
    test.store.close().await;
    let again = Store::open(test.folder.path()).await.expect("opens");
    assert_eq!(again.database_id(), id);
    assert_eq!(again.get_tenant(&scope).await.expect("reads").name, "ann");
    assert_eq!(again.find_fact("sample").await.expect("reads").as_deref(), Some("made"));
    assert_eq!(again.find_fact("database_id").await.expect("reads"), None);
    let mode = std::fs::metadata(again.path()).expect("reads").permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else may read the keys in it");
    let other = open().await;
    assert_ne!(other.store.database_id(), id);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_a_sentence() {
    let test = open().await;
    sqlx::query("insert into schema_migrations (version, name, applied_at) values (9999, 'future', '')")
        .execute(test.store.writer())
        .await
        .expect("inserts");
    test.store.close().await;
    let Err(Error::Unavailable { reason }) = Store::open(test.folder.path()).await.map(|_| ()) else { panic!("it was opened") };
    assert!(reason.contains("9999") && reason.contains("newer"), "{reason}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("knowhost.db");
    std::fs::write(&path, "this is a letter to my aunt, long enough to be looked at as a header of a database file").expect("writes");
    assert!(Store::open(&path).await.is_err());
    assert!(std::fs::read_to_string(&path).expect("reads").starts_with("this is a letter"));
}

#[tokio::test]
async fn a_reader_connection_can_not_write() {
    let test = open().await;
    let written = sqlx::query("insert into meta (key, value) values ('a', 'b')").execute(test.store.reader()).await;
    assert!(written.is_err());
}

#[tokio::test]
async fn pages_cut_the_list_without_gaps_or_doubles() {
    let test = open().await;
    let store = &test.store;
    let scope = a_tenant(store, "ann").await;
    let kb = a_kb(store, &scope).await;
    let mut made = Vec::new();
    for number in 0..13 {
        made.push(a_knowledge(store, &scope, &kb, &format!("h{number}")).await.id);
    }
    // Equal times must not make the order random.
    sqlx::query("update knowledges set created_at = '2026-01-01T00:00:00.000000Z'").execute(store.writer()).await.expect("updates");
    made.sort();
    for page_size in [1, 4, 13, 100] {
        let mut listed = Vec::new();
        for page in 1..=14 {
            let paged = store.list_knowledge(&scope, &kb.id, &KnowledgeFilter::default(), Page::new(page, page_size)).await.expect("lists");
            assert_eq!(paged.total, 13);
            listed.extend(paged.items.into_iter().map(|knowledge| knowledge.id));
        }
        assert_eq!(listed, made, "page size {page_size}");
    }
    let found = store.find_knowledge_batch(&scope, &[&made[3], &made[1], &made[3], &"nobody".to_string()]).await.expect("reads");
    let ids: Vec<_> = found.into_iter().map(|knowledge| knowledge.id).collect();
    assert_eq!(ids, [made[3].clone(), made[1].clone()]);
}

proptest! {
    #[test]
    fn columns_of_times_sort_like_the_times_and_read_back(
        a in -60_000_000_000i64..250_000_000_000, b in -60_000_000_000i64..250_000_000_000, micros in 0u32..1_000_000
    ) {
        let at = |seconds: i64| {
            let time = time::OffsetDateTime::from_unix_timestamp(seconds).expect("in range");
            Timestamp::from(time.replace_microsecond(micros).expect("in range"))
        };
        let (a, b) = (at(a), at(b));
        prop_assert_eq!(a.cmp(&b), a.to_column().cmp(&b.to_column()));
        prop_assert_eq!(Timestamp::parse(&a.to_column()), Some(a));
        prop_assert_eq!(a.to_column().len(), 27);
    }

    #[test]
    fn any_page_is_in_range_and_pages_follow_each_other(page in any::<i64>(), page_size in any::<i64>()) {
        let page = Page::new(page, page_size);
        prop_assert!(page.page >= 1 && (1..=100).contains(&page.page_size));
        prop_assert!(page.offset() >= 0);
        if page.page < 1_000_000 {
            let next = Page::new(page.page + 1, page.page_size);
            prop_assert_eq!(next.offset(), page.offset() + page.limit());
        }
    }
}
