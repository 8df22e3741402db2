package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/web"
)

// asset is one file under its hashed name, in each coding that was built. plain
// is nil for what every browser takes compressed.
type asset struct {
	media           string
	plain, br, gzip []byte
}

// assets are the files of the browser program, all in memory: they are embedded
// anyway.
type assets struct {
	manifest web.Manifest
	built    bool
	files    map[string]*asset // by hashed name
}

// media holds the types that the operating system's tables may not know.
var media = map[string]string{
	".wasm": "application/wasm", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml; charset=utf-8", ".woff2": "font/woff2", ".json": jsonType,
}

// loadAssets reads a tree laid out like web.Dist; nil, or one that was never
// built, gives a server without pages.
func loadAssets(tree fs.FS) (*assets, error) {
	a := &assets{files: map[string]*asset{}}
	if tree == nil {
		return a, nil
	}
	var err error
	if a.manifest, err = web.ReadManifest(tree); errors.Is(err, web.ErrNotBuilt) {
		return a, nil
	} else if err != nil {
		return nil, err
	}
	names, err := fs.Glob(tree, "assets/*")
	if err != nil {
		return nil, fmt.Errorf("list the assets: %w", err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, fmt.Errorf("read an asset: %w", err)
		}
		a.add(path.Base(name), b)
	}
	for name, url := range a.manifest.Files {
		if a.files[strings.TrimPrefix(url, "/assets/")] == nil {
			return nil, fmt.Errorf("the manifest names %s, but there is no %s", name, url)
		}
	}
	a.built = true
	return a, nil
}

func (a *assets) add(name string, b []byte) {
	coding := path.Ext(name)
	if coding == ".br" || coding == ".gz" {
		name = strings.TrimSuffix(name, coding)
	}
	f := a.files[name]
	if f == nil {
		f = &asset{media: media[path.Ext(name)]}
		if f.media == "" {
			f.media = mime.TypeByExtension(path.Ext(name))
		}
		a.files[name] = f
	}
	switch coding {
	case ".br":
		f.br = b
	case ".gz":
		f.gzip = b
	default:
		f.plain = b
	}
}

// version changes whenever a file does; "" if nothing was built.
func (a *assets) version() string { return a.manifest.Version }

// path returns where an asset is served, "" if there is none.
func (a *assets) path(name string) string { return a.manifest.Files[name] }

// serveAsset answers GET /assets/{name}. The name has the hash of the content,
// so browsers never ask twice.
func (s *Server) serveAsset(c *fiber.Ctx) error {
	f := s.assets.files[c.Params("name")]
	if f == nil {
		return fiber.ErrNotFound
	}
	body, coding := f.plain, ""
	if f.br != nil || f.gzip != nil {
		c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
		accepted := listField(c, fiber.HeaderAcceptEncoding)
		switch {
		case f.br != nil && accepts(accepted, "br", "*"):
			body, coding = f.br, "br"
		case f.gzip != nil && accepts(accepted, "gzip", "*"):
			body, coding = f.gzip, "gzip"
		}
	}
	if body == nil {
		var err error
		if body, err = f.inflate(); err != nil {
			return err
		}
	}
	if coding != "" {
		c.Set(fiber.HeaderContentEncoding, coding)
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, f.media)
	c.Context().Response.SetBodyRaw(body)
	return nil
}

// inflate unpacks an asset for the rare client that takes no coding.
func (f *asset) inflate() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(f.gzip))
	if err != nil {
		return nil, fmt.Errorf("inflate an asset: %w", err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("inflate an asset: %w", err)
	}
	return b, nil
}

// accepts reports whether a list with weights (RFC 9110, 12.4.2) takes a name
// that it has. all is an entry that stands for every name, "" if there is none;
// what is said of the name itself goes before it.
func accepts(list, name, all string) bool {
	taken := false
	for one := range strings.SplitSeq(list, ",") {
		entry, params, _ := strings.Cut(one, ";")
		switch entry = strings.TrimSpace(entry); {
		case strings.EqualFold(entry, name):
			return !forbidden(params)
		case entry != "" && entry == all:
			taken = !forbidden(params)
		}
	}
	return taken
}

// forbidden reports whether the parameters of an entry have the weight 0.
func forbidden(params string) bool {
	for one := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(one), "="); strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			return err == nil && q == 0
		}
	}
	return false
}
