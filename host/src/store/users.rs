//! People who log in. Not here: passwords and tokens, beyond keeping what is given.
//!
//! Users are found before there is a scope (a login names an address), so these methods take ids.

use super::Store;
use super::convert::{check_optional, check_text, id_or_new, optional_time, time};
use super::fault::fault;
use crate::domain::{TenantId, Timestamp, User};
use crate::error::{Error, Result};
use crate::limits::{AVATAR_CHARS_MAX, NAME_CHARS_MAX, USERNAME_CHARS_MAX};
use sqlx::SqliteConnection;

/// `None` keeps what is stored.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub avatar: Option<String>,
    pub is_active: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: String,
    username: String,
    email: String,
    password_hash: String,
    avatar: Option<String>,
    tenant_id: i64,
    is_active: bool,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            username: row.username,
            email: row.email,
            password_hash: row.password_hash,
            avatar: row.avatar.unwrap_or_default(),
            tenant_id: TenantId(row.tenant_id),
            is_active: row.is_active,
            created_at: time("users.created_at", &row.created_at)?,
            updated_at: time("users.updated_at", &row.updated_at)?,
            deleted_at: optional_time("users.deleted_at", row.deleted_at.as_deref())?,
        })
    }
}

impl Store {
    /// One more user of an existing tenant. A taken name or address is a `Conflict` with the contract's text.
    pub async fn create_user(&self, user: &User) -> Result<User> {
        let mut transaction = self.begin().await?;
        let new = NewUser { id: id_or_new(&user.id), tenant_id: user.tenant_id, user };
        let user = insert_user(&mut transaction, new).await?;
        super::commit(transaction).await?;
        Ok(user)
    }

    pub async fn find_user(&self, id: &str) -> Result<Option<User>> {
        let read = self.find_user_where("select * from users where id = ?1 and deleted_at is null", id);
        // Asked for before there is a tenant; ids of users are unique.
        self.kept().users.get_or_read(TenantId(0), id, Option::is_some, read).await
    }

    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.find_user_where("select * from users where email = ?1 and deleted_at is null", email).await
    }

    pub async fn find_user_by_username(&self, username: &str) -> Result<Option<User>> {
        self.find_user_where("select * from users where username = ?1 and deleted_at is null", username).await
    }

    /// Oldest first: the first one is who registered the tenant.
    pub async fn list_users_of_tenant(&self, tenant_id: TenantId) -> Result<Vec<User>> {
        sqlx::query_as::<_, UserRow>("select * from users where tenant_id = ?1 and deleted_at is null order by created_at, id")
            .bind(tenant_id.0)
            .fetch_all(self.reader())
            .await
            .map_err(fault("listing users"))?
            .into_iter()
            .map(User::try_from)
            .collect()
    }

    pub async fn update_user(&self, id: &str, patch: &UserPatch) -> Result<User> {
        check_optional("username", patch.username.as_ref(), USERNAME_CHARS_MAX)?;
        check_optional("email", patch.email.as_ref(), NAME_CHARS_MAX)?;
        check_optional("avatar", patch.avatar.as_ref(), AVATAR_CHARS_MAX)?;
        sqlx::query_as::<_, UserRow>(
            "update users set username = coalesce(?2, username), email = coalesce(?3, email), \
             password_hash = coalesce(?4, password_hash), avatar = coalesce(?5, avatar), is_active = coalesce(?6, is_active), \
             updated_at = ?7 where id = ?1 and deleted_at is null returning *",
        )
        .bind(id)
        .bind(&patch.username)
        .bind(&patch.email)
        .bind(&patch.password_hash)
        .bind(&patch.avatar)
        .bind(patch.is_active)
        .bind(Timestamp::now().to_column())
        .fetch_optional(self.writer())
        .await
        .map_err(fault("updating a user"))?
        .ok_or_else(|| Error::not_found("user not found"))?
        .try_into()
    }

    async fn find_user_where(&self, sql: &'static str, value: &str) -> Result<Option<User>> {
        sqlx::query_as::<_, UserRow>(sql)
            .bind(value)
            .fetch_optional(self.reader())
            .await
            .map_err(fault("reading a user"))?
            .map(User::try_from)
            .transpose()
    }
}

/// A user whose id and tenant are decided.
pub(super) struct NewUser<'a> {
    pub(super) id: String,
    pub(super) tenant_id: TenantId,
    pub(super) user: &'a User,
}

pub(super) async fn insert_user(connection: &mut SqliteConnection, new: NewUser<'_>) -> Result<User> {
    let user = new.user;
    check_text("username", &user.username, USERNAME_CHARS_MAX)?;
    check_text("email", &user.email, NAME_CHARS_MAX)?;
    check_text("avatar", &user.avatar, AVATAR_CHARS_MAX)?;
    check_text("id", &new.id, crate::limits::ID_CHARS_MAX)?;
    sqlx::query_as::<_, UserRow>(
        "insert into users (id, username, email, password_hash, avatar, tenant_id, is_active, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7) returning *",
    )
    .bind(&new.id)
    .bind(&user.username)
    .bind(&user.email)
    .bind(&user.password_hash)
    .bind(&user.avatar)
    .bind(new.tenant_id.0)
    .bind(Timestamp::now().to_column())
    .fetch_one(connection)
    .await
    .map_err(fault("creating a user"))?
    .try_into()
}
