package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/gatehouse-portal/gatehouse/backend/config"
)

// compose is the part of a Compose file that is checked. Strict decoding keeps
// a misspelled key from being ignored.
type compose struct {
	Name     string             `yaml:"name"`
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Image       string            `yaml:"image"`
	Build       map[string]string `yaml:"build"`
	User        string            `yaml:"user"`
	NetworkMode string            `yaml:"network_mode"`
	Restart     string            `yaml:"restart"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	StopGrace   string            `yaml:"stop_grace_period"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		Retries     int      `yaml:"retries"`
		StartPeriod string   `yaml:"start_period"`
	} `yaml:"healthcheck"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	text := read(t, "docker-compose.yml")
	var c compose
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestComposeHoldsTogether(t *testing.T) {
	c := readCompose(t)
	pinned := regexp.MustCompile(`^[a-z/]+:v?\d+\.\d+(\.\d+)?$`)
	conditions := []string{"service_started", "service_healthy", "service_completed_successfully"}
	for name, s := range c.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %q is not pinned to a version", name, s.Image)
		}
		if file := s.Build["dockerfile"]; s.Build != nil {
			if text := read(t, file); s.Build["target"] != "" && !strings.Contains(text, " AS "+s.Build["target"]+"\n") {
				t.Errorf("%s: the Dockerfile has no stage %s", name, s.Build["target"])
			}
		}
		for other, d := range s.DependsOn {
			on, ok := c.Services[other]
			if !ok || !slices.Contains(conditions, d.Condition) {
				t.Errorf("%s depends on %s (%s), which is not there", name, other, d.Condition)
			}
			if d.Condition == "service_healthy" && on.Healthcheck == nil {
				t.Errorf("%s waits for %s to be healthy, which it never says", name, other)
			}
			if d.Condition == "service_completed_successfully" && on.Restart != "" {
				t.Errorf("%s waits for %s to end, which restarts it", name, other)
			}
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[volume]; !ok {
				t.Errorf("%s uses the volume %s, which is not declared", name, volume)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s beyond this machine", name, p)
			}
		}
		for variable, value := range s.Environment {
			if strings.Contains(strings.ToLower(variable), "password") && !strings.HasSuffix(variable, "_FILE") || strings.Contains(value, "@mongo") {
				t.Errorf("%s: %s holds a secret in the file", name, variable)
			}
		}
	}
}

func TestComposeRunsAReplicaSet(t *testing.T) {
	c := readCompose(t)
	mongo := c.Services["mongo"]
	command := strings.Join(mongo.Command, " ")
	if !strings.Contains(command, "--replSet rs0") || !strings.Contains(command, "--keyFile /secrets/replica.key") {
		t.Errorf("mongod is started as %q, without its replica set or key file", command)
	}
	if len(mongo.Ports) != 0 {
		t.Errorf("the database is published: %v", mongo.Ports)
	}
	// The entrypoint's server for the first start listens on loopback alone.
	if health := strings.Join(mongo.Healthcheck.Test, " "); !strings.Contains(health, "mongosh --host mongo ") {
		t.Errorf("the health of mongo is asked by %q, also of the server that ends again", health)
	}
	script := strings.Join(c.Services["replica-set"].Command, "\n")
	for _, part := range []string{"MongoServerSelectionError", "MongoNetworkError", "sleep(1000)", "replSetInitiate", "_id: 'rs0'", "host: 'mongo:27017'", "createUser", "readWrite", "dbAdmin"} {
		if !strings.Contains(script, part) {
			t.Errorf("the replica set is initiated without %q", part)
		}
	}
	secrets := strings.Join(c.Services["secrets"].Command, "\n")
	for _, part := range []string{"/mongo/replica.key", "/mongo/root-password", "/gatehouse/database", "replicaSet=rs0", "chmod 400", "umask 077"} {
		if !strings.Contains(secrets, part) {
			t.Errorf("secrets are made without %q", part)
		}
	}
}

// The server's own configuration must be one that it would start with.
func TestComposeConfiguresGatehouse(t *testing.T) {
	s := readCompose(t).Services["gatehouse"]
	database := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(database, []byte("mongodb://gatehouse:pw@mongo:27017/gatehouse?replicaSet=rs0&authSource=admin"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, setting := range config.Settings() {
		known[setting.Name] = true
	}
	var environ []string
	for name, value := range s.Environment {
		if !known[name] {
			t.Errorf("%s is no setting", name)
		}
		if name == "GATEHOUSE_DATABASE_FILE" {
			value = database
		}
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	if c.MongoDB == "" || c.Outbox != "" || c.SMTP.Host != "mail" || c.Keys != "/keys/gatehouse" {
		t.Errorf("got %+v", c)
	}
	keys := readCompose(t).Services["keys"]
	if keys.Environment["GATEHOUSE_KEYS"] != c.Keys || !strings.Contains(strings.Join(keys.Command, " "), "test -e /keys/gatehouse || gatehouse keys init") {
		t.Errorf("the key file is made by %v in %s", keys.Command, keys.Environment["GATEHOUSE_KEYS"])
	}
	if _, ok := s.DependsOn["keys"]; !ok {
		t.Error("the server may start before its keys are made")
	}
	if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Error("the server keeps rights that it does not need")
	}
}

func TestDockerfile(t *testing.T) {
	text := strings.ReplaceAll(read(t, "deploy/Dockerfile"), "\\\n", " ")
	var instructions [][2]string
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word != "" && word != "#" {
			instructions = append(instructions, [2]string{word, strings.TrimSpace(rest)})
		}
	}
	last := map[string]string{} // of the final stage
	var froms []string
	for _, i := range instructions {
		if i[0] == "FROM" {
			froms = append(froms, i[1])
			clear(last)
		}
		last[i[0]] = i[1]
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	if !slices.Contains(froms, "golang:"+goVersion+"-bookworm AS build") {
		t.Errorf("no stage builds with the Go of go.mod, %s: %q", goVersion, froms)
	}
	if got := froms[len(froms)-1]; got != "scratch" {
		t.Errorf("the image is made from %q, want scratch", got)
	}
	if !strings.Contains(text, "CGO_ENABLED=0 go build -trimpath") || !strings.Contains(text, "./web/build -release") {
		t.Error("the program is not built static, or without the release portal")
	}
	if user := last["USER"]; user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("the program runs as %q", user)
	}
	if last["ENTRYPOINT"] != `["/gatehouse"]` || last["CMD"] != `["serve"]` {
		t.Errorf("the image runs %s %s", last["ENTRYPOINT"], last["CMD"])
	}
	if !strings.HasSuffix(last["HEALTHCHECK"], `CMD ["/gatehouse", "ready"]`) {
		t.Errorf("the image asks for its health by %q", last["HEALTHCHECK"])
	}
	environ := strings.Fields(last["ENV"])
	if _, err := config.Load(environ); err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "GATEHOUSE_MAIL is ") {
		t.Errorf("got %v, want that a mail server alone is missing", err)
	}
	environ = append(environ, "GATEHOUSE_MAIL=smtp://mail.example.com")
	c, err := config.Load(environ)
	if err != nil || c.Listen != "0.0.0.0:8080" {
		t.Errorf("the image's own environment: %+v and %v", c, err)
	}
	for _, path := range []string{c.SQLite, c.Keys} {
		if last["WORKDIR"] != last["VOLUME"] || !strings.HasPrefix(path, "./") {
			t.Errorf("%s is not in the volume %s", path, last["VOLUME"])
		}
	}
	database := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(database, []byte("mongodb://mongo/gatehouse?replicaSet=rs0"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = config.Load(append(environ, "GATEHOUSE_DATABASE_FILE="+database)); err != nil || c.MongoDB == "" {
		t.Errorf("the image with the database in a file: %+v and %v", c, err)
	}
}
