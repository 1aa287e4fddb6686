package signature

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// adyen is how Adyen signs notifications of payments: each item of a notification
// has a signature of its own, over eight of its fields.
// https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures
func adyen() *code { return &code{verify: verifyAdyen, sign: signAdyen} }

// adyenItems returns the items of a notification.
func adyenItems(doc []byte) []jsonValue {
	root, err := parseJSON(doc)
	if err != nil {
		return nil
	}
	list := root.member("notificationItems")
	var items []jsonValue
	for i := range list.items {
		items = append(items, list.items[i].member("NotificationRequestItem"))
	}
	return items
}

// adyenMessage returns what is signed of an item. What is absent is empty, and
// nothing is escaped.
func adyenMessage(item jsonValue) []byte {
	amount := item.member("amount")
	fields := []string{
		item.text("pspReference"), item.text("originalReference"), item.text("merchantAccountCode"), item.text("merchantReference"),
		amount.text("value"), amount.text("currency"), item.text("eventCode"), item.text("success"),
	}
	return []byte(strings.Join(fields, ":"))
}

func verifyAdyen(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
	items := adyenItems(in.document())
	if len(items) == 0 {
		return 0, time.Time{}, refuse(ReasonMissingSignature, "there are no notificationItems")
	}
	sigs := make([][]byte, len(items))
	for i, item := range items {
		data := item.member("additionalData")
		text := data.text("hmacSignature")
		if text == "" {
			return 0, time.Time{}, refuse(ReasonMissingSignature, "item %d has no hmacSignature", i+1)
		}
		var ok bool
		if sigs[i], ok = in.scheme.mac.decode(text); !ok {
			return 0, time.Time{}, refuse(ReasonMalformedSignature,
				"item %d has an hmacSignature of %d characters that cannot be decoded", i+1, len(text))
		}
	}
	// One key for all: a notification is of one endpoint, which has one key.
	for k, key := range keys.keys {
		if key != nil && adyenMatches(key, items, sigs) {
			return k, time.Time{}, nil
		}
	}
	return 0, time.Time{}, mismatch(keys)
}

func adyenMatches(key authenticator, items []jsonValue, sigs [][]byte) bool {
	for i, item := range items {
		if !key.verify(message{body: adyenMessage(item)}, sigs[i:i+1]) {
			return false
		}
	}
	return true
}

func signAdyen(in *reading, keys *preparedKeys, _ SignOptions) error {
	var notification map[string]any
	if err := json.Unmarshal(in.Body, &notification); err != nil {
		return errors.New("the body must be a JSON object")
	}
	items, _ := notification["notificationItems"].([]any)
	parsed := adyenItems(in.Body)
	if len(items) == 0 {
		return errors.New("the body must have notificationItems")
	}
	for i := range items {
		sig, err := keys.keys[0].sign(message{body: adyenMessage(parsed[i])})
		if err != nil {
			return err
		}
		wrapper, _ := items[i].(map[string]any)
		item, ok := wrapper["NotificationRequestItem"].(map[string]any)
		if !ok {
			return errNoPlace
		}
		data, ok := item["additionalData"].(map[string]any)
		if !ok {
			data = make(map[string]any)
			item["additionalData"] = data
		}
		data["hmacSignature"] = in.scheme.mac.encode(sig)
	}
	body, err := json.Marshal(notification)
	in.Body = body
	return err
}
