//! Statements for Aurora MySQL, where they differ from MariaDB's: each stands alone, since the Data
//! API of RDS takes one at a time.

use super::{Account, identifier, literal, name, password, user};
use crate::{secret::Secret, text::UnsafeText};

/// What makes an application's schema and its account, which reaches that alone. Repeating it changes
/// nothing, not even the password of an account that there is.
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn schema(database: &str, account: &Account) -> Result<Vec<Secret>, UnsafeText> {
    let database = identifier("the name of a database", database)?;
    // In a grant, `_` and `%` of a database's name stand for other characters too.
    let exactly = database.replace('_', r"\_").replace('%', r"\%");
    let (user, password) = (user(account)?, password(account)?);
    let statements = [
        format!("CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4"),
        format!("CREATE USER IF NOT EXISTS {user} IDENTIFIED BY {password}"),
        format!("GRANT ALL ON {exactly}.* TO {user}"),
    ];
    Ok(statements.map(Secret::new).to_vec())
}

/// Makes a password an account's first one; a second one that it may have stays (MySQL 8.0 reference
/// manual, "ALTER USER Dual Password Options").
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn set_password(account: &Account) -> Result<Secret, UnsafeText> {
    let (user, password) = (user(account)?, password(account)?);
    Ok(Secret::new(format!(
        "ALTER USER {user} IDENTIFIED BY {password}"
    )))
}

/// Gives an account a new password; the one that it had is valid as well, until that is discarded.
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn add_password(account: &Account) -> Result<Secret, UnsafeText> {
    let set = set_password(account)?;
    Ok(Secret::new(format!(
        "{} RETAIN CURRENT PASSWORD",
        set.expose()
    )))
}

/// Leaves an account its newest password alone.
///
/// # Errors
/// [`UnsafeText`] for a name that can't be one.
pub fn discard_old_password(user: &str) -> Result<String, UnsafeText> {
    let user = literal(name("the name of an account", user)?);
    Ok(format!("ALTER USER {user}@'%' DISCARD OLD PASSWORD"))
}

/// Whether an account has two passwords: one row with 1 or 0, and none where there is no such account
/// (MySQL 8.0 keeps the second as `additional_password` in `mysql.user`).
///
/// # Errors
/// [`UnsafeText`] for a name that can't be one.
pub fn has_old_password(user: &str) -> Result<String, UnsafeText> {
    let user = literal(name("the name of an account", user)?);
    Ok(format!(
        "SELECT JSON_CONTAINS_PATH(COALESCE(User_attributes, '{{}}'), 'one', \
         '$.additional_password') FROM mysql.user WHERE User = {user} AND Host = '%'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            user: "shop".to_owned(),
            password: Secret::new("it's"),
        }
    }

    #[test]
    fn a_schema_s_user_reaches_it_alone() {
        let statements = schema("my_shop", &account()).unwrap();
        let text: Vec<&str> = statements.iter().map(Secret::expose).collect();
        assert_eq!(
            text,
            [
                "CREATE DATABASE IF NOT EXISTS `my_shop` CHARACTER SET utf8mb4",
                "CREATE USER IF NOT EXISTS 'shop'@'%' IDENTIFIED BY 'it''s'",
                r"GRANT ALL ON `my\_shop`.* TO 'shop'@'%'",
            ]
        );
    }

    #[test]
    fn a_password_is_added_and_the_old_one_discarded() {
        assert_eq!(
            add_password(&account()).unwrap().expose(),
            "ALTER USER 'shop'@'%' IDENTIFIED BY 'it''s' RETAIN CURRENT PASSWORD"
        );
        assert_eq!(
            discard_old_password("shop").unwrap(),
            "ALTER USER 'shop'@'%' DISCARD OLD PASSWORD"
        );
        assert!(has_old_password("").is_err());
    }
}
