package signature_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A request as GitHub sends it.
func ExampleScheme_Verify() {
	keys, err := signature.NewKeys("It's a Secret to Everybody") // in a program: os.Getenv("GITHUB_WEBHOOK_SECRET")
	if err != nil {
		fmt.Println(err)
		return
	}
	header := http.Header{}
	header.Set("X-GitHub-Event", "push")
	header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	header.Set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")

	r := &signature.Request{Header: header, Body: []byte("Hello, World!")}
	result, err := signature.GitHub.Verify(r, keys, time.Now())
	fmt.Println(result.Type, result.DeliveryID, err)

	r.Body = []byte("Hello, world!")
	_, err = signature.GitHub.Verify(r, keys, time.Now())
	if refusal, ok := errors.AsType[*signature.Error](err); ok {
		fmt.Println(refusal.Reason)
	}
	// Output:
	// push 72d3162e-cc78-11e3-81ab-4c9367dc0958 <nil>
	// signature_mismatch
}

// Two keys: the new one and the one it replaces. Both sign, so a receiver can
// change from one to the other at any time.
func ExampleScheme_Sign() {
	keys, err := signature.NewKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_TYek9qH/QBFU5+VQNa+MIq4UnjRRgYJ+")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &signature.Request{Body: []byte(`{"test": 2432232314}`)}
	err = signature.StandardWebhooks.Sign(r, keys, signature.SignOptions{
		ID:   "msg_p5jXN8AQM9LWM0D4loKWxJek",
		Time: time.Unix(1614265330, 0),
	})
	fmt.Println(err)
	fmt.Println(r.Header.Get("webhook-id"))
	fmt.Println(r.Header.Get("webhook-timestamp"))
	fmt.Println(r.Header.Get("webhook-signature"))
	// Output:
	// <nil>
	// msg_p5jXN8AQM9LWM0D4loKWxJek
	// 1614265330
	// v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,4I7lxQxxpx/7bl3bmTjVCuT1GIMDscP/+k8pjbQJsQM=
}

// A provider that signs the body in a header of its own.
func ExampleHMAC() {
	scheme, err := signature.HMAC(signature.HMACOptions{
		Header: "X-Shop-Signature", Algorithm: signature.SHA256, Encoding: signature.Base64, TypeHeader: "X-Shop-Topic",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := signature.NewKeys("a shared secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &signature.Request{Header: http.Header{"X-Shop-Topic": {"orders/create"}}, Body: []byte(`{"id":1}`)}
	if err := scheme.Sign(r, keys, signature.SignOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	result, err := scheme.Verify(r, keys, time.Now())
	fmt.Println(result.Type, err)
	// Output: orders/create <nil>
}

// Any provider whose way of signing can be said as data.
func ExampleNew() {
	stripe, err := signature.New(signature.Spec{
		Name:      "stripe",
		Read:      []signature.Read{{From: "stripe-signature", Sep: ",", Items: []string{"t={time}", "v1={sig}"}}},
		Sign:      "{time}.{body}",
		Tolerance: 300 * time.Second,
		Type:      "json:type",
		ID:        "json:id",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := signature.NewKeys("whsec_test")
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Unix(1780000000, 0)
	r := &signature.Request{Body: []byte(`{"id":"evt_1","type":"invoice.paid"}`)}
	if err := stripe.Sign(r, keys, signature.SignOptions{Time: at}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Header.Get("Stripe-Signature"))
	result, err := stripe.Verify(r, keys, at.Add(time.Minute))
	fmt.Println(result.Type, result.DeliveryID, err)
	_, err = stripe.Verify(r, keys, at.Add(time.Hour))
	fmt.Println(err)
	// Output:
	// t=1780000000,v1=912794f1464a4262100380f71900db10229471ab51d36458b91663dea2e369cc
	// invoice.paid evt_1 <nil>
	// verify signature: timestamp_stale: it was signed at 2026-05-28T20:26:40Z, more than 5m0s ago
}

// Keys do not show what they hold.
func ExampleKeys() {
	keys, err := signature.NewKeys("hunter2")
	fmt.Printf("%v %+v %#v %d %v\n", keys, keys, keys, keys.Len(), err)

	_, err = signature.NewKeys("")
	fmt.Println(err)

	err = signature.StandardWebhooks.CheckKeys(keys)
	fmt.Println(err)
	// Output:
	// [redacted] [redacted] [redacted] 1 <nil>
	// secret 1: it is empty
	// secret 1: it is not base64 after "whsec_"
}
