//! What a visitor does in the example shop.

use std::path::Path;

use super::http::{Browser, HttpRequest};

/// The example shop's code.
pub fn storefront_source() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/storefront");
    folder.canonicalize().unwrap().display().to_string()
}

/// Writes a token; true once the database has confirmed it.
#[track_caller]
pub fn add_token(browser: &mut Browser, token: &str) -> bool {
    browser.post("/api/token", &[("token", token)]).status == 201
}

/// All tokens.
#[track_caller]
pub fn tokens(browser: &mut Browser) -> Vec<String> {
    let answer = browser.get("/api/tokens").expect(200).json();
    let tokens = answer["tokens"].as_array().unwrap().iter();
    tokens
        .map(|token| token["token"].as_str().unwrap().to_owned())
        .collect()
}

/// Keeps a value in the visitor's session.
#[track_caller]
pub fn write_session(browser: &mut Browser, value: &str) {
    browser
        .post("/api/session", &[("value", value)])
        .expect(200);
}

/// The value in the visitor's session.
#[track_caller]
pub fn read_session(browser: &mut Browser) -> String {
    let session = browser.get("/api/session").expect(200).json();
    session["session"]["value"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Uploads a file; gives its path.
#[track_caller]
pub fn add_media(browser: &mut Browser, content: &[u8]) -> String {
    let answer = browser.ask(&HttpRequest {
        method: "POST",
        path: "/api/media",
        headers: vec![("Content-Type", "application/octet-stream")],
        body: content,
    });
    let answer = answer.expect(201).json();
    answer["url"].as_str().unwrap().to_owned()
}

/// The key that a form carries.
#[track_caller]
pub fn form_key(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(path).expect(200).text();
    let rest = page.split("name=\"form_key\" value=\"").nth(1);
    let key = rest.and_then(|rest| rest.split('"').next());
    key.unwrap_or_else(|| panic!("no form on {path}: {page}"))
        .to_owned()
}

/// Buys something; the thank-you page.
#[track_caller]
pub fn place_order(browser: &mut Browser) -> String {
    let home = browser.get("/").expect(200).text();
    let product = home
        .split("href=\"/product/")
        .nth(1)
        .or_else(|| home.split("/product/").nth(1));
    let slug = product.and_then(|rest| rest.split('"').next()).unwrap();
    let product = format!("/product/{slug}");
    let key = form_key(browser, &product);
    let page = browser.get(&product).expect(200).text();
    let id = page.split("name=\"product_id\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    browser
        .post("/cart/add", &[("form_key", &key), ("product_id", id)])
        .expect(303);
    let key = form_key(browser, "/checkout");
    let fields = [
        ("form_key", key.as_str()),
        ("email", "visitor@example.com"),
        ("name", "A Visitor"),
        ("address", "1 Main Street"),
    ];
    browser.post("/checkout", &fields).expect(303);
    browser.get("/checkout/success").expect(200).text()
}

/// Logs in as the administrator.
#[track_caller]
pub fn log_in(browser: &mut Browser, password: &str) {
    let key = form_key(browser, "/admin/login");
    let fields = [
        ("form_key", key.as_str()),
        ("username", "admin"),
        ("password", password),
    ];
    browser.post("/admin/login", &fields).expect(303);
}
