"""nbform connect to a machine without a public address: nbsim's relay of IAP stands between it and a real sshd."""

import contextlib
import hashlib
import json
import select
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request

import pages
import ssh_machine
from connect_case import ConnectCase
from pages import BIG, VERSION
from ssh_machine import USER, Sshd

RANGE = "35.235.240.0/20"
ANYBODY_IN = "allow_from: [10.8.0.0/16], "  # and so IAP as well, as there is no public address


class Iap(ConnectCase):
    def setUp(self):
        super().setUp()
        self.jupyter = pages.serve(self)
        self.stack_of()

    def stack_of(self, ssh=ANYBODY_IN, sshd=None):
        self.declare(f"{ssh_machine.free_port()}:{self.jupyter}", "{public_ip: false}", ssh, sshd)

    def relay(self, call="connect", times=1, **manner):
        """How the next connections through the relay go on."""
        self.fault({"relay": manner}, call, times)

    def fault(self, what, call="connect", times=1):
        self.cloud.admin("faults", list=[{"match": {"service": "iap", "method": call}, "do": what, "times": times}])

    def passages(self):
        """The handshakes that the relay has seen: call, parameters, HTTP status."""
        seen = [event["detail"] for event in self.cloud._open("events") if event["kind"] == "request"]
        return [(d["path"].removeprefix("/v4/"), d["query"], d["status"]) for d in seen if d["path"].startswith("/v4/")]

    def calls(self):
        return [call for call, _, _ in self.passages()]

    def download(self, url):
        with urllib.request.urlopen(url + "big", timeout=60) as answer:
            return answer.read()

    def upload(self, url):
        with urllib.request.urlopen(urllib.request.Request(url, data=BIG, method="POST"), timeout=60) as answer:
            return answer.read().decode()

    def moves_both_ways(self, url):
        self.assertEqual(self.download(url), BIG)
        self.assertEqual(self.upload(url), hashlib.sha256(BIG).hexdigest())

    def connected(self):
        self.made()
        process, out, err = self.open()
        url = self.line(out, "http://127.0.0.1:")
        self.line(err, "Ctrl-C ends")
        return process, url, err

    def refused(self):
        self.made()
        done = self.nbform(f"connect train --no-open -i {self.key}", exit=1)
        return done.stderr


class TheWay(Iap):
    def test_a_machine_without_a_public_address_is_reached_through_iap(self):
        self.made()
        process, out, err = self.open()
        for words in ("running", "guest attributes", "IAP, as there is no public address", f"{USER}@train, through IAP",
                      f"version {VERSION}"):
            self.line(err, words)
        url = self.line(out, "http://127.0.0.1:")
        self.assertEqual(self.get(url), "/tree")
        self.moves_both_ways(url)
        self.assertEqual(self.end(process), 0)
        (call, query, status), = self.passages()
        self.assertEqual((call, status), ("connect", 101))
        self.assertIn(f"project=acme-ml&zone=us-central1-b&instance=train&interface=nic0&port={self.sshd.port}", query)

    def test_a_service_account_shows_the_relay_an_exchanged_token(self):
        """Its own signature is enough for Compute Engine, and not for this relay."""
        del self.env["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]
        process, url, _ = self.connected()
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(process), 0)
        self.assertEqual([status for _, _, status in self.passages()], [101])

    def test_what_the_library_cannot_do_ssh_does_over_the_same_way(self):
        old = Sshd(authorized=[self.key], host=("rsa",), listen="0.0.0.0")
        self.addCleanup(old.remove)
        self.stack_of(sshd=old)
        self.nbform("apply -y")
        self.publish(old.host_keys())
        process, out, err = self.open()
        url = self.line(out, "http://127.0.0.1:")
        self.moves_both_ways(url)
        self.assertEqual(self.end(process), 0)
        self.assertIn("Accepted publickey", old.log())

    def test_with_tls_the_relays_certificate_is_verified(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl's command is not installed")
        front = TlsFront(self.keys.path, self.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAP_TUNNEL"])
        self.addCleanup(front.close)
        self.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAP_TUNNEL"] = f"https://localhost:{front.port}/v4/"
        self.assertIn("The server's certificate is not trusted", self.refused())
        self.env["SSL_CERT_FILE"] = str(front.certificate)
        process, out, _ = self.open()
        self.moves_both_ways(self.line(out, "http://127.0.0.1:"))
        self.assertEqual(self.end(process), 0)


class Cuts(Iap):
    def test_a_connection_that_is_cut_goes_on_where_it_was(self):
        self.relay(after=20_000)
        self.relay("reconnect", times=4, after=700_000)
        process, url, err = self.connected()
        self.moves_both_ways(url)
        self.line(err, "was resumed after")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.calls(), ["connect"] + 5 * ["reconnect"])
        self.assertEqual(self.sshd.log().count("Accepted publickey"), 1)

    def test_pieces_pings_and_late_acknowledgements_change_nothing(self):
        self.relay(pieces=100, pings=True, late_acks=True)
        process, url, _ = self.connected()
        self.moves_both_ways(url)
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.calls(), ["connect"])

    def test_a_token_that_ends_is_replaced_and_the_session_goes_on(self):
        del self.env["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]
        self.relay(after=30_000, then="close", code=4004)
        process, url, err = self.connected()
        self.moves_both_ways(url)
        self.line(err, "was resumed after")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.calls(), ["connect", "reconnect"])
        tokens = {line["url"] for line in self.cloud.requests() if line["url"] == "/token"}
        self.assertEqual(len(tokens), 1)

    def test_a_relay_that_falls_silent_is_noticed_before_ssh_gives_up(self):
        self.relay(after=200_000, then="silent")
        process, url, err = self.connected()
        self.assertEqual(self.download(url), BIG)
        self.line(err, "was resumed after")
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.sshd.log().count("Accepted publickey"), 1)

    def test_a_session_that_cannot_be_resumed_is_followed_by_another(self):
        self.relay(after=200_000, forget=True)
        process, url, err = self.connected()
        with contextlib.suppress(OSError):
            self.download(url)
        self.line(err, "connection lost")
        self.line(err, "connected again")
        self.moves_both_ways(url)
        self.assertEqual(self.end(process), 0)
        self.assertEqual(self.calls(), ["connect", "reconnect", "connect"])

    def test_a_machine_that_stops_and_starts_only_interrupts(self):
        process, url, err = self.connected()
        self.nbform("stop train -y")
        self.sshd.signal_sessions(signal.SIGKILL)
        self.line(err, "connection lost")
        self.line(err, "waiting for the machine: stopped")
        self.nbform("start train")
        self.line(err, "connected again")
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(process), 0)


class Refusals(Iap):
    def test_a_missing_permission_is_named_with_its_role(self):
        self.cloud.admin("deny", permission="iap.tunnelInstances.accessViaIAP")
        said = self.refused()
        self.assertIn("IAP does not let this account through", said)
        self.assertIn("iap.tunnelInstances.accessViaIAP", said)
        self.assertIn("gcloud projects add-iam-policy-binding acme-ml --role=roles/iap.tunnelResourceAccessor", said)

    def test_a_handshake_that_is_forbidden_says_the_same(self):
        self.fault({"status": 403})
        said = self.refused()
        self.assertIn("roles/iap.tunnelResourceAccessor", said)
        self.assertIn("HTTP 403", said)

    def test_a_token_that_is_never_taken_ends_it(self):
        self.fault({"status": 401}, times=2)
        said = self.refused()
        self.assertIn("IAP does not take the access token", said)
        self.assertEqual([status for _, _, status in self.passages()], [401, 401])

    def test_a_firewall_that_keeps_iap_out_is_named_and_mended_as_it_says(self):
        self.stack_of(ssh="")
        began = time.monotonic()
        said = self.refused()
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("The firewall keeps IAP out", said)
        self.assertIn(f"No firewall rule of the network default lets {RANGE} into port {self.sshd.port} of train", said)
        self.assertIn(f"access: {{ssh: {{allow_from: [{RANGE}]}}}}", said)
        self.stack_of(ssh=f"allow_from: [{RANGE}], ")
        process, url, _ = self.connected()
        self.assertEqual(self.get(url), "/tree")
        self.assertEqual(self.end(process), 0)

    def test_a_rule_that_denies_is_named(self):
        self.made()
        self.compute("POST", "global/firewalls", {"name": "keep-out", "network": "global/networks/default", "priority": 10,
                                                  "denied": [{"IPProtocol": "tcp"}], "sourceRanges": ["35.0.0.0/8"]})
        done = self.nbform(f"connect train --no-open -i {self.key}", exit=1)
        self.assertIn(f"The firewall rule keep-out keeps {RANGE} out of port {self.sshd.port} of train", done.stderr)

    def test_an_sshd_that_comes_late_is_waited_for(self):
        self.sshd.stop()
        self.made()
        process, out, err = self.open()
        self.line(err, f"Nothing listens on port {self.sshd.port} of train")
        self.sshd.start()
        self.line(err, f"version {VERSION}")
        self.assertEqual(self.end(process), 0)

    def test_a_relay_that_is_not_there_is_tried_again(self):
        self.fault({"status": 503}, times=2)
        self.made()
        process, out, err = self.open()
        self.line(err, "The relay answers HTTP 503")
        self.line(err, f"version {VERSION}")
        self.assertEqual(self.end(process), 0)

    def compute(self, method, path, body):
        request = urllib.request.Request(f"{self.cloud.url}/compute/v1/projects/acme-ml/{path}", json.dumps(body).encode(),
                                         {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}, method=method)
        urllib.request.urlopen(request, timeout=10).close()
        self.cloud.admin("clock", advance="1m")


class TlsFront:
    """TLS with a certificate of its own before a plain server."""

    def __init__(self, directory, behind):
        self.behind = urllib.parse.urlparse(behind).port
        self.certificate = directory / "relay.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / "relay.key", "-out",
                        self.certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
                       check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, directory / "relay.key")
        self.server = ssh_machine.Server(self.serve)
        self.port = self.server.port

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as outer, socket.create_connection(("127.0.0.1", self.behind)) as inner:
            while True:
                ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
                for source, sink in ((outer, inner), (inner, outer)):
                    if source in ready:
                        if not (data := source.recv(1 << 16)):
                            return
                        sink.sendall(data)

    def close(self):
        self.server.close()


if __name__ == "__main__":
    unittest.main()
