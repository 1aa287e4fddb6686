package cli

// A demoSend is something that the demo sends, and what should become of it.
type demoSend struct {
	sample string   // EVENT.ACTION of GitHub's sample
	note   string   // what is special about it
	set    []string // values to set in it, as for trigger --set
	forged bool     // signed with another secret
	again  string   // the title of what is sent a second time, with its delivery id
	down   bool     // while the service is down

	to []string // where it should go; nowhere means that no route takes it
}

func (p demoSend) title() string {
	if p.note == "" {
		return p.sample
	}
	return p.sample + " " + p.note
}

// The destinations of the demo's configuration.
const (
	demoService = "service"
	demoDeploy  = "deploy"
)

// demoReplayed is the title of what is replayed at the end.
const demoReplayed = "pull_request.opened"

func demoArrivals() []demoSend {
	const conclusion = "workflow_run.conclusion="
	return []demoSend{
		{sample: "push", note: "to main", set: []string{"ref=refs/heads/main"}, to: []string{demoService, demoDeploy}},
		{sample: "push", note: "to fix-typo", set: []string{"ref=refs/heads/fix-typo"}},
		{sample: demoReplayed, to: []string{demoService}},
		{sample: "issues.opened", to: []string{demoService}},
		{sample: "release.published", to: []string{demoService}},
		{sample: "workflow_run.completed", note: "failed", set: []string{conclusion + "failure"}, to: []string{demoService}},
		{sample: "workflow_run.completed", note: "passed", set: []string{conclusion + "success"}},
		{sample: "repository_dispatch", to: []string{demoDeploy}},
		{sample: "ping"},
	}
}

func demoDoubtful() []demoSend {
	return []demoSend{
		{sample: "push", note: "to main, forged", set: []string{"ref=refs/heads/main"}, forged: true},
		{sample: "issues.opened", note: "again", again: "issues.opened"},
	}
}

func demoMissed() []demoSend {
	return []demoSend{
		{sample: "pull_request.closed", down: true, to: []string{demoService}},
		{
			sample: "push", note: "to main, the next", set: []string{"ref=refs/heads/main"}, down: true,
			to: []string{demoService, demoDeploy},
		},
		{sample: "issues.edited", down: true, to: []string{demoService}},
	}
}
