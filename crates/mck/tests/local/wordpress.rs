//! WordPress in an empty folder, two commands away.

use std::time::Duration;

use mck_local::wait;
use serde_json::Value;

use crate::support::{Browser, File, HttpRequest, Store};

/// The smallest picture that WordPress takes: a GIF of one pixel.
const PICTURE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

#[test]
fn a_blog_to_log_in_to() {
    let store = Store::new("blog", File::Init("wordpress"));
    let up = store.up();
    assert!(
        up.out.contains("mck secret show shop-admin-password"),
        "{up:#?}"
    );

    let mut visitor = store.visitor("shop");
    let front = visitor.get("/").expect(200).text();
    assert!(front.contains("Hello world!"), "{front}");
    visitor.get("/wp-admin/").expect(302);
    visitor.get("/wp-config.php").expect(403);
    visitor.get("/wp-admin/install.php").expect(403);

    let mut admin = log_in(&store);
    let url = upload(&mut admin);
    let path = url.split_once(&format!(":{}", store.http)).unwrap().1;
    for _ in 0..8 {
        assert_eq!(visitor.get(path).expect(200).body, PICTURE);
    }
    let file = path.replacen("/wp-content", "/var/lib/wordpress/wp-content", 1);
    let sums: Vec<String> = store
        .tasks("shop")
        .iter()
        .map(|task| store.mck(&["exec", task, "--", "md5sum", &file]).good())
        .collect();
    assert_eq!(sums.len(), 2, "{sums:?}");
    assert_eq!(sums[0], sums[1], "both tasks have the picture");

    cron(&store);
    store.mck(&["stop"]).good();
    store.up();
    assert_eq!(visitor.get(path).expect(200).body, PICTURE);
    admin.get("/wp-admin/").expect(200);
}

fn log_in(store: &Store) -> Browser {
    let password = store.secret("shop-admin-password");
    let mut stranger = store.visitor("shop");
    stranger.get("/wp-login.php").expect(200);
    let fields = |password| [("log", "admin"), ("pwd", password), ("testcookie", "1")];
    stranger.post("/wp-login.php", &fields("wrong")).expect(200);
    stranger
        .post("/wp-login.php", &fields(&password))
        .expect(302);
    let dashboard = stranger.get("/wp-admin/").expect(200).text();
    assert!(dashboard.contains("Dashboard"), "{dashboard}");
    stranger
}

/// Uploads a picture as the media page does; gives its address.
fn upload(admin: &mut Browser) -> String {
    let page = admin.get("/wp-admin/media-new.php").expect(200).text();
    let nonce = page.split("name=\"_wpnonce\" value=\"").nth(1);
    let nonce = nonce.and_then(|rest| rest.split('"').next()).unwrap();
    let head = format!(
        "--part\r\nContent-Disposition: form-data; name=\"_wpnonce\"\r\n\r\n{nonce}\r\n\
         --part\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nupload-attachment\r\n\
         --part\r\nContent-Disposition: form-data; name=\"async-upload\"; filename=\"picture.gif\"\r\n\
         Content-Type: image/gif\r\n\r\n"
    );
    let body = [head.as_bytes(), PICTURE, b"\r\n--part--\r\n"].concat();
    let answer = admin.ask(&HttpRequest {
        method: "POST",
        path: "/wp-admin/async-upload.php",
        headers: vec![("Content-Type", "multipart/form-data; boundary=part")],
        body: &body,
    });
    let answer = answer.expect(200).json();
    assert_eq!(answer["success"], true, "{answer:#}");
    answer["data"]["url"].as_str().unwrap().to_owned()
}

fn cron(store: &Store) {
    let job = |status: &Value| status["apps"][0]["jobs"][0].clone();
    let ended = wait::until(Duration::from_secs(90), || {
        wait::pause(Duration::from_millis(300));
        let job = job(&store.status());
        job["last-exit-code"].as_i64().map(|_| job)
    });
    let Some(job) = ended else {
        panic!(
            "cron did not run: {:#}\n{}",
            store.status(),
            store.last_words()
        );
    };
    assert_eq!(job["name"], "cron");
    assert_eq!(job["last-exit-code"], 0, "{}", store.last_words());
}
