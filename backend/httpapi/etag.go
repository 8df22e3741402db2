package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// sendTagged answers with a body and its ETag: the revision of what is shown,
// then a checksum of the body. The checksum makes the tag strong, since a body
// also holds what changes without a revision (last use, status); If-Match looks
// at the revision alone, or a token in use could never be edited.
//
// A GET whose If-None-Match has the tag is answered with 304.
func sendTagged(c *fiber.Ctx, status int, rev int64, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	tag := etag(rev, text)
	c.Set(fiber.HeaderETag, tag)
	if !unsafe(c) && noneMatch(c, tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Status(status)
	c.Response().SetBodyRaw(text)
	c.Response().Header.SetContentType(jsonType)
	return nil
}

// sendPublic answers with a document that is the same for everybody and changes
// with the program. Caches keep it, and ask each time whether it is the newest.
func sendPublic(c *fiber.Ctx, media string, body []byte) error {
	tag := fmt.Sprintf(`"%08x"`, crc32.ChecksumIEEE(body))
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderContentType, media)
	if noneMatch(c, tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	return c.Send(body)
}

// sendPublicJSON is sendPublic of a value.
func sendPublicJSON(c *fiber.Ctx, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return sendPublic(c, jsonType, body)
}

func etag(rev int64, body []byte) string {
	return fmt.Sprintf(`"%d.%08x"`, rev, crc32.ChecksumIEEE(body))
}

// noneMatch reports whether If-None-Match has the tag, weakly compared (RFC
// 9110, 13.1.2).
func noneMatch(c *fiber.Ctx, tag string) bool {
	for one := range strings.SplitSeq(listField(c, fiber.HeaderIfNoneMatch), ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

// listField returns a field whose value is a list. On several lines it is the same
// list as on one (RFC 9110, 5.3).
func listField(c *fiber.Ctx, name string) string {
	lines := c.Context().Request.Header.PeekAll(name)
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return string(lines[0])
	}
	return string(bytes.Join(lines, []byte(", ")))
}

// match reads If-Match: nil without the header, which the rules refuse where
// one is needed. * is for the rules, which alone see what is there when the change
// is made. Several tags are resolved against the present revision. What is no tag
// of ours matches nothing.
func match(c *fiber.Ctx, present func() (int64, error)) (*int64, error) {
	header := strings.TrimSpace(listField(c, fiber.HeaderIfMatch))
	if header == "" {
		return nil, nil
	}
	if header == "*" {
		return new(portal.AnyRev), nil
	}
	never := int64(0) // revisions count from 1
	if !strings.Contains(header, ",") {
		if rev, ok := revOf(header); ok {
			return &rev, nil
		}
		return &never, nil
	}
	now, err := present()
	if err != nil {
		return nil, err
	}
	for one := range strings.SplitSeq(header, ",") {
		if rev, ok := revOf(one); ok && rev == now {
			return &now, nil
		}
	}
	return &never, nil
}

// revOf returns the revision in a tag that [sendTagged] wrote. A weak tag is
// none: If-Match compares strongly.
func revOf(tag string) (int64, bool) {
	tag, ok := strings.CutPrefix(strings.TrimSpace(tag), `"`)
	if !ok {
		return 0, false
	}
	rev, _, ok := strings.Cut(tag, ".")
	if !ok || !strings.HasSuffix(tag, `"`) {
		return 0, false
	}
	n, err := strconv.ParseInt(rev, 10, 64)
	return n, err == nil && n > 0
}
