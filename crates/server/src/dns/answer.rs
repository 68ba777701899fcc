//! A DNS query in, a response out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::{
    op::{Edns, Message, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType, rdata::SOA},
};

use super::names::{DnsNames, Existence, Labels, labels};

/// The addresses that the names have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Addresses {
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
}

impl Addresses {
    /// For a query that came to `destination`: that address, and for the loopback address its
    /// counterpart of the other family, if the server listens there.
    pub(super) fn of(destination: IpAddr, listening: &[IpAddr]) -> Self {
        // A listener on all addresses is on the loopback one too.
        let reached = |ip: &IpAddr| ip.is_loopback() || ip.is_unspecified();
        let counterpart = |wanted: fn(&IpAddr) -> bool| {
            let mut other = listening.iter().filter(|ip| reached(ip) && wanted(ip));
            other.next().filter(|_| destination.is_loopback())
        };
        match destination {
            IpAddr::V4(ip) => {
                Self { v4: Some(ip), v6: counterpart(IpAddr::is_ipv6).map(|_| Ipv6Addr::LOCALHOST) }
            }
            IpAddr::V6(ip) => {
                Self { v4: counterpart(IpAddr::is_ipv4).map(|_| Ipv4Addr::LOCALHOST), v6: Some(ip) }
            }
        }
    }

    fn records(self, kind: RecordType) -> Vec<RData> {
        let v4 = self.v4.filter(|_| matches!(kind, RecordType::A | RecordType::ANY));
        let v6 = self.v6.filter(|_| matches!(kind, RecordType::AAAA | RecordType::ANY));
        v4.map(|ip| RData::A(ip.into()))
            .into_iter()
            .chain(v6.map(|ip| RData::AAAA(ip.into())))
            .collect()
    }
}

/// The response to a query; `None` for what is to be dropped: no header, or no query.
///
/// It has no more than 512 bytes, the least that every client takes: the question repeats a name
/// of at most 255 bytes, and the records refer to it.
pub(super) fn answer(packet: &[u8], names: &DnsNames, addresses: Addresses) -> Option<Vec<u8>> {
    let header = packet.get(..HEADER)?;
    if header[2] & IS_RESPONSE != 0 {
        // An answer to an answer could go to and fro for ever.
        return None;
    }
    if header[2] & OPCODE != 0 {
        return Some(bare(header, ResponseCode::NotImp));
    }
    let Ok(request) = Message::from_vec(packet) else {
        return Some(bare(header, ResponseCode::FormErr));
    };
    let [question] = request.queries.as_slice() else {
        return Some(bare(header, ResponseCode::FormErr));
    };
    let mut response = Message::response(request.metadata.id, OpCode::Query);
    response.metadata.recursion_desired = request.metadata.recursion_desired;
    // No name is left to ask elsewhere. Stub resolvers distrust a server that says less.
    response.metadata.recursion_available = true;
    response.add_query(question.clone());
    if let Some(edns) = &request.edns {
        let mut own = Edns::new();
        own.set_dnssec_ok(edns.flags().dnssec_ok);
        response.set_edns(own);
    }
    if request.version() > 0 {
        response.metadata.response_code = ResponseCode::BADVERS;
    } else if !matches!(question.query_class(), DNSClass::IN | DNSClass::ANY) {
        response.metadata.response_code = ResponseCode::Refused;
    } else {
        resolve(&mut response, question, names, addresses);
    }
    Some(response.to_vec().unwrap_or_else(|_| bare(header, ResponseCode::ServFail)))
}

fn resolve(response: &mut Message, question: &Query, names: &DnsNames, addresses: Addresses) {
    response.metadata.authoritative = true;
    let name = question.name();
    let (existence, zone) = names.find(&labels(name.iter()));
    let kind = question.query_type();
    if existence == Existence::Host {
        let records = addresses.records(kind).into_iter();
        response.add_answers(records.map(|data| Record::from_rdata(name.clone(), TTL, data)));
        if matches!(kind, RecordType::SOA | RecordType::ANY)
            && zone.map(Vec::len) == Some(depth(name))
        {
            response.add_answers(zone.and_then(|zone| authority(name, zone)));
        }
    }
    if existence == Existence::Missing {
        response.metadata.response_code = ResponseCode::NXDomain;
    }
    if response.answers.is_empty() {
        // How long the lack of an answer may be kept (RFC 2308, section 3).
        response.add_authorities(zone.and_then(|zone| authority(name, zone)));
    }
}

/// The SOA record of the zone that a name is in.
fn authority(name: &Name, zone: &Labels) -> Option<Record> {
    let apex = name.trim_to(zone.len());
    let contact = Name::from_ascii("hostmaster").ok()?.append_domain(&apex).ok()?;
    let data = SOA::new(apex.clone(), contact, SERIAL, REFRESH, RETRY, EXPIRE, NEGATIVE_TTL);
    Some(Record::from_rdata(apex, NEGATIVE_TTL, RData::SOA(data)))
}

fn depth(name: &Name) -> usize {
    name.iter().count()
}

/// A response that is a header alone, to a query that cannot be repeated.
fn bare(header: &[u8], code: ResponseCode) -> Vec<u8> {
    let mut response = vec![0; HEADER];
    response[..2].copy_from_slice(&header[..2]);
    response[2] = IS_RESPONSE | (header[2] & (OPCODE | RECURSION_DESIRED));
    response[3] = code.low();
    response
}

const HEADER: usize = 12;

// Bits of the header's third byte (RFC 1035, section 4.1.1).
const IS_RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RECURSION_DESIRED: u8 = 0x01;

/// As the reference's.
const TTL: u32 = 3600;

/// Short: who changes the configuration wants to see the new names.
const NEGATIVE_TTL: u32 = 60;

const SERIAL: u32 = 1;
const REFRESH: i32 = 3600;
const RETRY: i32 = 600;
const EXPIRE: i32 = 86_400;

#[cfg(test)]
mod tests {
    use hickory_proto::op::MessageType;
    use proptest::prelude::*;

    use super::*;
    use crate::Config;

    fn names() -> DnsNames {
        let config = Config {
            browser_host: "web.test".to_owned(),
            subdomains: vec!["www".to_owned(), "élève".to_owned()],
            not_subdomains: vec!["no".to_owned()],
            ..Config::default()
        };
        DnsNames::new(&config.host_names(), None)
    }

    const BOTH: Addresses =
        Addresses { v4: Some(Ipv4Addr::LOCALHOST), v6: Some(Ipv6Addr::LOCALHOST) };

    fn query(name: &str, kind: RecordType) -> Message {
        let mut query = Message::new(0xabcd, MessageType::Query, OpCode::Query);
        query.metadata.recursion_desired = true;
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        query
    }

    fn ask(query: &Message, addresses: Addresses) -> Message {
        let bytes = answer(&query.to_vec().unwrap(), &names(), addresses).unwrap();
        assert!(bytes.len() <= 512);
        let response = Message::from_vec(&bytes).unwrap();
        assert_eq!(response.metadata.id, query.metadata.id);
        response
    }

    /// The code, the answers' data, and the owner of the record in the authority section.
    fn told(response: &Message) -> (ResponseCode, Vec<String>, Vec<String>) {
        (
            response.metadata.response_code,
            response.answers.iter().map(|record| record.data.to_string()).collect(),
            response.authorities.iter().map(|record| record.name.to_string()).collect(),
        )
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn hosts_have_addresses() {
        let response = ask(&query("wWw.web.TEST.", RecordType::A), BOTH);
        assert_eq!(told(&response), (ResponseCode::NoError, texts(&["127.0.0.1"]), texts(&[])));
        assert_eq!(response.answers[0].ttl, 3600);
        // Clients put the case of the name to the test.
        assert_eq!(response.answers[0].name.to_string(), "wWw.web.TEST.");
        assert!(response.metadata.authoritative && response.metadata.recursion_desired);
        let response = ask(&query("xn--lve-6lad.web.test.", RecordType::AAAA), BOTH);
        assert_eq!(told(&response), (ResponseCode::NoError, texts(&["::1"]), texts(&[])));
        let response = ask(&query("www.web.test.", RecordType::ANY), BOTH);
        assert_eq!(told(&response).1, ["127.0.0.1", "::1"]);
    }

    #[test]
    fn what_a_host_has_not_is_no_error() {
        let v4 = Addresses { v6: None, ..BOTH };
        for kind in [RecordType::AAAA, RecordType::HTTPS, RecordType::TXT, RecordType::NS] {
            let response = ask(&query("www.web.test.", kind), v4);
            let expected = (ResponseCode::NoError, texts(&[]), texts(&["web.test."]));
            assert_eq!(told(&response), expected, "{kind}");
        }
        let response = ask(&query("web.test.", RecordType::SOA), v4);
        assert_eq!((response.answers.len(), response.authorities.len()), (1, 0));
    }

    #[test]
    fn other_names_do_not_exist() {
        for (name, zone) in [
            ("no.web.test.", texts(&["web.test."])),
            ("x.web.test.", texts(&["web.test."])),
            ("example.com.", texts(&[])),
            (".", texts(&[])),
        ] {
            let response = ask(&query(name, RecordType::A), BOTH);
            assert_eq!(told(&response), (ResponseCode::NXDomain, texts(&[]), zone), "{name}");
        }
    }

    #[test]
    fn extended_queries_have_extended_responses() {
        let mut extended = query("web.test.", RecordType::A);
        assert_eq!(ask(&extended, BOTH).edns, None);
        extended.set_edns(Edns::new());
        let response = ask(&extended, BOTH);
        assert_eq!(response.metadata.response_code, ResponseCode::NoError);
        assert_eq!(response.edns.map(|edns| edns.version()), Some(0));
        let mut newer = Edns::new();
        newer.set_version(1);
        extended.set_edns(newer);
        assert_eq!(u16::from(ask(&extended, BOTH).metadata.response_code), 16);
    }

    #[test]
    fn what_is_no_query_has_a_header_or_nothing() {
        let mut bytes = query("web.test.", RecordType::A).to_vec().unwrap();
        let answer = |bytes: &[u8]| answer(bytes, &names(), BOTH);
        assert_eq!(answer(&bytes[..11]), None);
        let malformed = answer(&bytes[..20]).unwrap();
        assert_eq!(malformed[..2], bytes[..2]);
        assert_eq!(malformed[2..], [0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes[2] = 0x28;
        assert_eq!(answer(&bytes).unwrap()[2..4], [0xa8, 4]);
        bytes[2] = 0x80;
        assert_eq!(answer(&bytes), None);
        bytes[2] = 0;
        bytes[5] = 2;
        assert_eq!(answer(&bytes).unwrap()[3], 1);
    }

    #[test]
    fn other_classes_are_refused() {
        let mut chaos = query("version.bind.", RecordType::TXT);
        chaos.queries[0].set_query_class(DNSClass::CH);
        assert_eq!(ask(&chaos, BOTH).metadata.response_code, ResponseCode::Refused);
    }

    #[test]
    fn the_other_family_is_there_when_it_is_listened_on() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let of = |to: &str, listening: &[&str]| {
            let listening: Vec<IpAddr> = listening.iter().map(|text| ip(text)).collect();
            let found = Addresses::of(ip(to), &listening);
            (found.v4.map(|ip| ip.to_string()), found.v6.map(|ip| ip.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("127.0.0.1", &["127.0.0.1"]), (some("127.0.0.1"), None));
        assert_eq!(of("127.0.0.1", &["127.0.0.1", "::1"]), (some("127.0.0.1"), some("::1")));
        assert_eq!(of("::1", &["0.0.0.0", "::"]), (some("127.0.0.1"), some("::1")));
        assert_eq!(of("10.0.0.2", &["0.0.0.0", "::"]), (some("10.0.0.2"), None));
    }

    proptest! {
        #[test]
        fn no_packet_is_too_odd(packet in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _any = answer(&packet, &names(), BOTH);
        }

        #[test]
        fn no_query_with_a_flaw_is_too_odd(at in 0_usize..60, byte in any::<u8>(), cut in 0_usize..60) {
            let mut query = query("www.web.test.", RecordType::A);
            query.set_edns(Edns::new());
            let mut packet = query.to_vec().unwrap();
            let length = packet.len();
            packet[at % length] = byte;
            let _any = answer(&packet, &names(), BOTH);
            packet.truncate(cut);
            let _any = answer(&packet, &names(), BOTH);
        }
    }
}
