//! Answers that no server should give, and answers that AWS gives now and then.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mck_aws::CallFailure;

use crate::{
    stacks::{Lacks, REGION, account, environment},
    stand_in::{Kind, PORT, beside},
};

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>U</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// What a server says: a status and a body; no status cuts the connection in the middle.
type Answer = (u16, String);

/// Serves answers in order, the last one again and again, and counts requests.
fn serve(answers: Vec<Answer>) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind(("127.0.0.1", PORT)).expect("the port is ours");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let answer = answers
                .get(number)
                .or(answers.last())
                .expect("there is an answer");
            answer_one(stream, answer);
        }
    });
    count
}

fn answer_one(stream: TcpStream, (status, body): &Answer) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let _ = reader.read_exact(&mut vec![0; length]);
    let mut stream = reader.into_inner();
    let status = if *status == 0 {
        // More is promised than comes.
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<Get"
        );
        return;
    } else {
        status
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

#[test]
fn throttling_and_broken_answers_are_survived() {
    beside(
        Kind::Own,
        "faults::throttling_and_broken_answers_are_survived",
        || {
            let count = serve(vec![
                (400, error("Throttling", "Rate exceeded")),
                (
                    500,
                    "<html><body>Internal Server Error</body></html>".to_owned(),
                ),
                (0, String::new()),
                (503, String::new()),
                (200, IDENTITY.to_owned()),
            ]);
            let identity = account().identity().expect("it is tried again");
            assert_eq!(identity.account, "123456789012");
            assert_eq!(count.load(Ordering::SeqCst), 5);
        },
    );
}

fn kind_of(status: u16, body: String) -> (CallFailure, String) {
    serve(vec![(status, body)]);
    let error = account().identity().expect_err("it fails");
    (error.kind().expect("a call failed"), error.to_string())
}

#[test]
fn expired_credentials_are_told() {
    beside(Kind::Own, "faults::expired_credentials_are_told", || {
        let (kind, text) = kind_of(403, error("ExpiredToken", "The security token has expired"));
        assert_eq!(kind, CallFailure::Expired, "{text}");
        assert!(
            kind.hint()
                .is_some_and(|hint| hint.contains("log in again"))
        );
    });
}

#[test]
fn a_wrong_clock_is_told() {
    beside(Kind::Own, "faults::a_wrong_clock_is_told", || {
        let message = "Signature expired: 20261124T150000Z is now earlier than 20261124T160000Z";
        let (kind, text) = kind_of(403, error("SignatureDoesNotMatch", message));
        assert_eq!(kind, CallFailure::ClockSkew, "{text}");
    });
}

#[test]
fn a_missing_permission_is_told_with_its_action_and_resource() {
    let name = "faults::a_missing_permission_is_told_with_its_action_and_resource";
    beside(Kind::Own, name, || {
        let message = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: \
                       cloudformation:DescribeStacks on resource: \
                       arn:aws:cloudformation:us-east-1:123456789012:stack/*/* because no \
                       identity-based policy allows the cloudformation:DescribeStacks action";
        serve(vec![(403, error("AccessDenied", message))]);
        let wanted = environment("red", Lacks::default());
        let refused = account().plan(&wanted).expect_err("it is refused");
        assert_eq!(refused.kind(), Some(CallFailure::Denied), "{refused}");
        assert_eq!(
            refused.to_string(),
            "DescribeStacks of the account failed: AccessDenied: \
             arn:aws:iam::123456789012:user/ann may not do cloudformation:DescribeStacks on \
             arn:aws:cloudformation:us-east-1:123456789012:stack/*/*: no identity-based policy \
             allows the cloudformation:DescribeStacks action"
        );
        let hint = refused.kind().and_then(CallFailure::hint);
        assert!(hint.is_some_and(|it| it.contains("allow that action")));
    });
}

/// S3 names neither action nor resource where a bucket's policy refuses.
#[test]
fn a_refusal_without_an_action_is_told_with_the_one_that_is_needed() {
    let name = "faults::a_refusal_without_an_action_is_told_with_the_one_that_is_needed";
    beside(Kind::Own, name, || {
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        serve(vec![(200, IDENTITY.to_owned()), (403, denied.to_owned())]);
        let account = account();
        account.identity().expect("the first answer");
        let removed = account.remove_template_bucket(REGION);
        let refused = removed.expect_err("it is refused").to_string();
        let needed = "s3:ListBucketVersions on arn:aws:s3:::shop-mck-templates-123456789012";
        assert!(refused.contains(needed), "{refused}");
    });
}

#[test]
fn an_answer_that_is_no_answer_is_told() {
    beside(
        Kind::Own,
        "faults::an_answer_that_is_no_answer_is_told",
        || {
            let (kind, text) = kind_of(418, "<!doctype html><p>a proxy".to_owned());
            assert_eq!(kind, CallFailure::Unreadable, "{text}");
            assert!(!text.contains("doctype"), "{text}");
        },
    );
}

#[test]
fn nobody_there_is_told() {
    beside(Kind::Own, "faults::nobody_there_is_told", || {
        let error = account().identity().expect_err("nobody listens");
        assert_eq!(error.kind(), Some(CallFailure::Unreachable), "{error}");
    });
}
