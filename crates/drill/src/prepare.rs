//! What is done before the load: find the pages, register the customers, try each kind of write.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::customer::Customer;
use crate::error::DrillError;
use crate::http::{Client, Cookies, Request, Response};
use crate::ledger::Ledger;
use crate::outcome::Failure;
use crate::plan::DrillPlan;
use crate::pool::Pool;
use crate::shop::{Shop, expect_status, field};
use crate::visitor::Visitor;

const LIMIT: Duration = Duration::from_secs(10);

/// A storefront that has answered, and the number of the last row before the load.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) shop: Shop,
    pub(crate) first_id: u64,
}

/// Tries everything that the load will do once, so that a store that can't be drilled is not broken.
pub(crate) fn prepare(plan: &DrillPlan) -> Result<Prepared, DrillError> {
    let client = Client::new(plan.address, &plan.host);
    let run = format!("drill-{:016x}", unguessable());
    let home = get(&client, "/")?;
    let categories = paths(&home.text(), "/category/");
    let mut products = paths(&home.text(), "/product/");
    for category in &categories {
        products.extend(paths(&get(&client, category)?.text(), "/product/"));
    }
    get(&client, "/catalog/random")?;
    get(&client, "/api/whoami")?;
    let first_id = write_first_token(&client, &run)?;
    let customers = register(&client, &run, plan.accounts)?;
    let shop = Shop {
        client,
        mix: plan.mix,
        seed: plan.seed,
        run,
        categories: categories.into_iter().collect(),
        products: products.into_iter().collect(),
        visitors: Pool::new((0..plan.visitors).map(|_| Visitor::default())),
        customers: Pool::new(customers),
        ledger: Ledger::default(),
    };
    Ok(Prepared { shop, first_id })
}

fn get(client: &Client, path: &str) -> Result<Response, DrillError> {
    let answer = client.send(
        &Request::get(path),
        &mut Cookies::default(),
        Instant::now() + LIMIT,
    );
    let checked = answer.and_then(|response| expect_status(&response, 200).map(|()| response));
    checked.map_err(|failure| failed(format!("GET {path}"), failure))
}

fn write_first_token(client: &Client, run: &str) -> Result<u64, DrillError> {
    let request = Request::post("/api/token", vec![("token", format!("{run}-first"))]);
    let answer = client.send(&request, &mut Cookies::default(), Instant::now() + LIMIT);
    let id = answer.and_then(|response| {
        expect_status(&response, 201)?;
        let id = field(&response, "id").and_then(|id| id.as_u64());
        id.ok_or(Failure::WrongContent)
    });
    id.map_err(|failure| failed("POST /api/token".to_owned(), failure))
}

fn register(client: &Client, run: &str, count: u32) -> Result<Vec<Customer>, DrillError> {
    (0..count)
        .map(|number| {
            let email = format!("{run}-{number}@example.com");
            let password = format!("{:016x}{:016x}", unguessable(), unguessable());
            let mut customer = Customer::new(email, format!("Drill {number}"), password);
            match customer.register(client, Instant::now() + LIMIT) {
                Ok(()) => Ok(customer),
                Err(failure) => Err(failed("POST /account/register".to_owned(), failure)),
            }
        })
        .collect()
}

fn failed(step: String, failure: Failure) -> DrillError {
    DrillError::Prepare {
        step,
        problem: failure.to_string(),
    }
}

/// A number from the system's random source, by which the standard library seeds its hash maps. The
/// accounts of a drill stay in the shop: nobody else shall be able to log in to them.
fn unguessable() -> u64 {
    RandomState::new().hash_one(0)
}

/// The paths on a page that begin with `prefix` and go on with one name.
fn paths(page: &str, prefix: &str) -> BTreeSet<String> {
    let names = page.split(prefix).skip(1).filter_map(|rest| {
        let is_name =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        let end = rest.find(|character| !is_name(character))?;
        (end > 0 && rest[end..].starts_with('"')).then(|| format!("{prefix}{}", &rest[..end]))
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_of_a_page_are_found_with_any_base_address() {
        let page = r#"<a href="/category/desk">Desk</a> <a href="http://shop/category/garden">G</a>
            <a href="/category/desk?p=2">2</a> <a href="/category/">all</a> <a href="/product/mug">"#;
        let found = paths(page, "/category/");
        assert_eq!(
            found,
            ["/category/desk", "/category/garden"]
                .map(str::to_owned)
                .into()
        );
    }

    #[test]
    fn two_runs_never_share_a_token() {
        assert_ne!(unguessable(), unguessable());
    }
}
