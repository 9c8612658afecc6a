package web

import (
	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
)

// route is one address with what it takes to use it. An empty operation means
// that nobody needs to be signed in.
type route struct {
	method, path string
	op           survey.Operation
	do           func(*request) error
	query        string // the names of its query parameters; "lang" goes everywhere
}

// apiPath begins every address of the JSON API.
const apiPath = "/api/v1"

// summaryQuery are the query parameters of a summary.
const summaryQuery = "by and template role by_response items sector structure setting tag under observer period state from to"

// exportQuery are the query parameters of files that are made at once.
const exportQuery = "by summary values template sector structure setting tag under observer period state from to"

// routes is the whole table of addresses.
func (s *Server) routes() []route {
	const api = apiPath
	return []route{
		{"POST", api + "/sign-in", "", s.apiSignIn, ""},
		{"POST", api + "/sign-out", survey.OpOwnAccount, s.apiSignOut, ""},
		{"GET", api + "/me", survey.OpOwnAccount, s.apiMe, ""},
		{"GET", api + "/openapi.yaml", "", s.apiDescription, ""},

		{"GET", api + "/templates", survey.OpReadTemplates, s.apiTemplates, ""},
		{"POST", api + "/templates", survey.OpWriteTemplates, s.apiImportTemplate, ""},
		{"GET", api + "/templates/:code", survey.OpReadTemplates, s.apiTemplate, "version"},
		{"POST", api + "/templates/:code/versions/:version/publish", survey.OpWriteTemplates, s.apiPublishTemplate, ""},

		{"GET", api + "/type-lists", survey.OpReadUnits, s.apiTypeLists, ""},
		{"GET", api + "/units", survey.OpReadUnits, s.apiUnits, "under date after search limit"},
		{"POST", api + "/units", survey.OpWriteUnits, s.apiImportUnits, "dry_run"},
		{"GET", api + "/units/:code", survey.OpReadUnits, s.apiUnit, ""},

		{"GET", api + "/rounds", survey.OpReadRounds, s.apiRounds, ""},
		{"GET", api + "/rounds/:round", survey.OpReadRounds, s.apiRound, ""},
		{"PUT", api + "/rounds/:round", survey.OpWriteRounds, s.apiSaveRound, ""},
		{"GET", api + "/rounds/:round/assignments", survey.OpReadAssignments, s.apiAssignments, ""},
		{"POST", api + "/rounds/:round/assignments", survey.OpAssign, s.apiAssign, ""},
		{"GET", api + "/rounds/:round/summary", survey.OpSummarize, s.apiSummary, summaryQuery},
		{"GET", api + "/assignments", survey.OpReadAssignments, s.apiOwnAssignments, ""},

		{"GET", api + "/responses", survey.OpReadResponses, s.apiResponses, "round template unit under observer role state after limit"},
		{"GET", api + "/responses/:id", survey.OpReadResponses, s.apiResponse, "raw"},
		{"PUT", api + "/responses/:id", survey.OpSubmit, s.apiSubmit, ""},
		{"POST", api + "/responses/:id/review", survey.OpReview, s.apiReview, ""},

		{"GET", "/", "", s.pageHome, ""},
		{"GET", "/sign-in", "", s.pageSignIn, ""},
		{"POST", "/sign-in", "", s.pageDoSignIn, ""},
		{"POST", "/sign-out", survey.OpOwnAccount, s.pageSignOut, ""},
		{"GET", "/rounds/new", survey.OpWriteRounds, s.pageNewRound, ""}, // before the rounds by code
		{"GET", "/rounds/:round", survey.OpSummarize, s.pageSummary, ""},
		{"GET", "/api", "", s.pageAPI, ""},

		// Accounts: set-up, invitations, people, devices, own settings.
		{"GET", api + "/people", survey.OpManagePeople, s.apiPeople, "q role state after limit"},
		{"POST", api + "/people", survey.OpManagePeople, s.apiAddPerson, ""},
		{"GET", api + "/people/:name", survey.OpManagePeople, s.apiPerson, ""},
		{"PUT", api + "/people/:name", survey.OpManagePeople, s.apiChangePerson, ""},
		{"POST", api + "/people/:name/invitation", survey.OpManagePeople, s.apiInvite, ""},
		{"GET", "/setup/:secret", "", s.pageSetup, ""},
		{"POST", "/setup/:secret", "", s.pageDoSetup, ""},
		{"GET", "/invitation/:secret", "", s.pageInvitation, ""},
		{"POST", "/invitation/:secret", "", s.pageAcceptInvitation, ""},
		{"GET", "/account", survey.OpOwnAccount, s.pageAccount, ""},
		{"POST", "/account/display", survey.OpOwnAccount, s.pageSaveDisplay, ""},
		{"POST", "/account/password", survey.OpOwnAccount, s.pageChangePassword, ""},
		{"POST", "/account/devices/:device/sign-out", survey.OpOwnAccount, s.pageSignOutOwnDevice, ""},
		{"GET", "/people", survey.OpManagePeople, s.pagePeople, ""},
		{"POST", "/people", survey.OpManagePeople, s.pageAddPerson, ""},
		{"GET", "/people/new", survey.OpManagePeople, s.pageNewPerson, ""},
		{"GET", "/people/import", survey.OpManagePeople, s.pageImportPeople, ""},
		{"POST", "/people/import", survey.OpManagePeople, s.pageCheckPeople, ""},
		{"GET", "/people/import/template.xlsx", survey.OpManagePeople, s.pagePeopleTemplate, ""},
		{"POST", "/people/import/rows", survey.OpManagePeople, s.pageStorePeople, ""},
		{"POST", "/people/invitations", survey.OpManagePeople, s.pageInvite, ""},
		{"POST", "/account/odk", survey.OpOwnAccount, s.pageOwnODK, ""},
		{"POST", "/people/odk", survey.OpManagePeople, s.pageODKCards, ""},
		{"GET", "/people/phone-file", survey.OpManagePeople, s.pagePhoneFile, ""},
		{"POST", "/people/phone-file", survey.OpManagePeople, s.pageReadPhoneFile, ""},
		{"GET", "/people/:name", survey.OpManagePeople, s.pagePerson, ""},
		{"POST", "/people/:name", survey.OpManagePeople, s.pageChangePerson, ""},
		{"POST", "/people/:name/disabled", survey.OpManagePeople, s.pageDisablePerson, ""},
		{"POST", "/people/:name/password", survey.OpManagePeople, s.pageResetPassword, ""},
		{"POST", "/people/:name/devices/:device/sign-out", survey.OpManagePeople, s.pageSignOutDevice, ""},

		// Rounds: their settings, assignments, coverage.
		{"GET", api + "/scope-count", survey.OpWriteRounds, s.apiCountScope, "under structure sector setting tag date"},
		{"GET", "/rounds", survey.OpSummarize, s.pageRounds, ""},
		{"POST", "/rounds", survey.OpWriteRounds, s.pageMakeRound, ""},
		{"GET", "/rounds/:round/settings", survey.OpWriteRounds, s.pageRoundSettings, ""},
		{"POST", "/rounds/:round/settings", survey.OpWriteRounds, s.pageSaveRound, ""},
		{"GET", "/rounds/:round/coverage", survey.OpSummarize, s.pageCoverage, ""},
		{"GET", "/rounds/:round/assignments", survey.OpSummarize, s.pageAssignments, ""},
		{"POST", "/rounds/:round/assignments", survey.OpAssign, s.pageAssign, ""},
		{"GET", "/rounds/:round/assignments/auto", survey.OpAssign, s.pageAutoAssign, ""},
		{"POST", "/rounds/:round/assignments/auto", survey.OpAssign, s.pageDoAutoAssign, ""},
		{"GET", "/rounds/:round/assignments/import", survey.OpAssign, s.pageImportAssignments, ""},
		{"POST", "/rounds/:round/assignments/import", survey.OpAssign, s.pageCheckAssignments, ""},
		{"GET", "/rounds/:round/assignments/import/template.xlsx", survey.OpAssign, s.pageAssignmentTemplate, ""},
		{"GET", "/assignments/:id", survey.OpSummarize, s.pageAssignment, ""},
		{"POST", "/assignments/:id", survey.OpAssign, s.pageChangeAssignment, ""},
		{"POST", api + "/rounds/:round/visits", survey.OpAddVisit, s.apiAddVisit, ""},
		{"POST", api + "/assignments/:id/change", survey.OpPutOffVisit, s.apiChangeAssignment, ""},

		// Review: attachments, decisions, comparison, trail.
		{"GET", api + "/responses/:id/attachments", survey.OpReadResponses, s.apiAttachments, ""},
		{"GET", api + "/responses/:id/attachments/:name", survey.OpReadResponses, s.apiAttachment, "sha256"},
		{"PUT", api + "/responses/:id/attachments/:name", survey.OpSubmit, s.apiPutAttachment, ""},
		{"GET", "/review", survey.OpReview, s.pageReviewList, ""},
		{"GET", "/review/:response", survey.OpReview, s.pageReview, ""},
		{"POST", "/review/:response", survey.OpReview, s.pageDecide, ""},
		{"POST", api + "/responses/:id/release", survey.OpReview, s.apiRelease, ""},
		{"POST", api + "/responses/:id/reject", survey.OpReview, s.apiReject, ""},
		{"GET", "/audit", survey.OpReadAudit, s.pageAudit, ""},
		{"GET", api + "/audit", survey.OpReadAudit, s.apiAudit, auditNames + " before limit"},
		{"GET", "/rounds/:round/practice", survey.OpWriteRounds, s.pagePracticeCase, ""},
		{"POST", "/rounds/:round/practice", survey.OpWriteRounds, s.pageSavePractice, ""},
		{"GET", "/practice/:round", survey.OpSubmit, s.pagePractise, ""},
		{"POST", "/practice/:round", survey.OpSubmit, s.pageDoPractise, ""},
		{"GET", "/review/:response/revisions", survey.OpReview, s.pageRevisions, ""},
		{"GET", "/review/:response/adjudicate", survey.OpReview, s.pageAdjudicate, ""},
		{"POST", "/review/:response/adjudicate", survey.OpReview, s.pageDoAdjudicate, ""},
		{"POST", "/review/:response/release", survey.OpReview, s.pageRelease, ""},
		{"POST", "/review/:response/reject", survey.OpReview, s.pageReject, ""},

		// Forms: the form as data, as a plain page, on paper.
		{"GET", api + "/templates/:code/versions/:version/form", survey.OpReadTemplates, s.apiForm, "scoring"},
		{"GET", "/visits/:id/plain", survey.OpSubmit, s.pagePlain, ""},
		{"POST", "/visits/:id/plain", survey.OpSubmit, s.pagePlainDo, ""},
		{"GET", "/visits/:id/receipt", survey.OpSubmit, s.pageReceipt, ""},
		{"GET", "/visits/:id/print", survey.OpSubmit, s.pagePrintVisit, ""},
		{"GET", "/templates/:code/versions/:version/print", survey.OpReadTemplates, s.pagePrintTemplate, ""},

		// The phone: its bundle, its pages, its worker.
		{"GET", api + "/phone", survey.OpSubmit, s.apiPhone, ""},
		{"GET", "/visits", survey.OpSubmit, s.pagePhone, ""},
		{"GET", "/visits/list", survey.OpSubmit, s.pageVisitList, ""},
		{"GET", "/visits/calendar.ics", survey.OpSubmit, s.pageCalendar, ""},
		{"GET", "/visits/:visit", survey.OpSubmit, s.pagePhone, ""},
		{"GET", "/guide", "", s.pageGuide, ""},
		{"GET", "/guide/templates", "", s.pageGuideTemplates, ""},
		{"GET", "/worker.js", "", s.phoneWorker, ""},
		{"GET", "/manifest.webmanifest", "", s.manifest, ""},

		// Templates: reading, problems, versions, editor.
		{"GET", api + "/templates/:code/versions/:version/file", survey.OpReadTemplates, s.pageTemplateFile, "format"},
		{"GET", api + "/templates/:code/versions/:version/differences", survey.OpReadTemplates, s.apiTemplateDifferences, "against"},
		{"POST", api + "/templates/:code/versions/:version/retire", survey.OpWriteTemplates, s.apiRetireTemplate, ""},
		{"POST", api + "/templates/check", survey.OpWriteTemplates, s.apiCheckTemplate, ""},
		{"POST", api + "/templates/try", survey.OpWriteTemplates, s.apiTryTemplate, ""},
		{"PUT", api + "/templates/:code/versions/:version", survey.OpWriteTemplates, s.apiSaveDraft, ""},
		{"GET", "/templates", survey.OpWriteTemplates, s.pageTemplates, ""},
		{"GET", "/new-template", survey.OpWriteTemplates, s.pageNewTemplate, ""},
		{"POST", "/new-template", survey.OpWriteTemplates, s.pageBeginTemplate, ""},
		{"GET", "/templates/:code", survey.OpWriteTemplates, s.pageTemplate, "version against done"},
		{"GET", "/templates/:code/versions/:version/file", survey.OpWriteTemplates, s.pageTemplateFile, "format"},
		{"POST", "/templates/:code/versions/:version/publish", survey.OpWriteTemplates, s.pagePublishTemplate, ""},
		{"POST", "/templates/:code/versions/:version/retire", survey.OpWriteTemplates, s.pageRetireTemplate, ""},
		{"GET", "/template-import", survey.OpWriteTemplates, s.pageImportTemplate, ""},
		{"POST", "/template-import", survey.OpWriteTemplates, s.pageDoImportTemplate, ""},
		{"POST", "/template-import/annotated", survey.OpWriteTemplates, s.pageAnnotatedTemplate, ""},
		{"GET", "/templates/:code/edit", survey.OpWriteTemplates, s.pageEditor, ""},
		{"POST", "/templates/:code/edit", survey.OpWriteTemplates, s.pageNextVersion, ""},

		// Analysis: summaries, agreement, data quality.
		{"GET", api + "/rounds/:round/analysis", survey.OpSummarize, s.apiAnalysis, "by template sector structure setting tag under observer period state from to"},
		{"GET", "/rounds/:round/analysis", survey.OpSummarize, s.pageAnalysis, ""},
		{"GET", "/rounds/:round/behind", survey.OpSummarize, s.pageBehind, ""},
		{"GET", "/rounds/:round/quality", survey.OpSummarize, s.pageQuality, ""},
		{"POST", "/rounds/:round/quality/dismissed", survey.OpReview, s.pageDismissFlag, ""},

		// Files that are handed in: made at once, or ordered and fetched later.
		{"GET", api + "/rounds/:round/export.xlsx", survey.OpExport, s.apiExport, exportQuery},
		{"GET", api + "/rounds/:round/export.csv.zip", survey.OpExport, s.apiExportCSV, exportQuery + " separator"},
		{"GET", api + "/rounds/:round/files", survey.OpExport, s.apiJobs, ""},
		{"PUT", api + "/rounds/:round/files/:id", survey.OpExport, s.apiOrder, ""},
		{"GET", api + "/files/:id", survey.OpExport, s.apiJob, ""},
		{"GET", api + "/files/:id/file", survey.OpExport, s.sendJobFile, ""},
		{"POST", api + "/files/:id/cancel", survey.OpExport, s.apiCancelJob, ""},
		{"POST", api + "/files/:id/again", survey.OpExport, s.apiJobAgain, ""},
		{"GET", api + "/rounds/:round/summary.csv", survey.OpSummarize, s.apiSummaryCSV, summaryQuery + " separator"},
		{"POST", api + "/feeds", survey.OpSummarize, s.apiMakeFeed, ""},
		{"GET", dataPath + "/:token/rounds/:round/summary.csv", "", s.feed(s.apiSummaryCSV), ""},
		{"GET", dataPath + "/:token/rounds/:round/summary.json", "", s.feed(s.apiSummary), ""},
		{"POST", "/rounds/:round/feeds", survey.OpSummarize, s.pageMakeFeed, ""},
		{"GET", "/rounds/:round/slips", survey.OpExport, s.pageSlips, ""},
		{"GET", "/rounds/:round/files", survey.OpExport, s.pageFiles, ""},
		{"POST", "/rounds/:round/files", survey.OpExport, s.pageOrder, ""},
		{"GET", "/files/:id/file", survey.OpExport, s.sendJobFile, ""},
		{"POST", "/files/:id/cancel", survey.OpExport, s.pageCancelJob, ""},
		{"POST", "/files/:id/again", survey.OpExport, s.pageJobAgain, ""},

		// OpenRosa: what ODK Collect and its kin ask for.
		{"GET", odkPath + "/:token/formList", "", s.odk(s.odkFormList), ""},
		{"HEAD", odkPath + "/:token/formList", "", s.odk(s.odkFormList), ""},
		{"GET", odkPath + "/:token/forms/:code/:version/form.xml", "", s.odk(s.odkForm), ""},
		{"GET", odkPath + "/:token/forms/:code/:version/manifest", "", s.odk(s.odkManifest), ""},
		{"GET", odkPath + "/:token/forms/:code/:version/visits.csv", "", s.odk(s.odkVisits), ""},
		{"HEAD", odkPath + "/:token/submission", "", s.odk(s.odkBefore), ""},
		{"POST", odkPath + "/:token/submission", "", s.odk(s.odkSubmit), ""},
		// The same for clients that were set up by hand, with name and password.
		{"GET", odkPath + "/formList", "", s.odk(s.odkFormList), ""},
		{"HEAD", odkPath + "/formList", "", s.odk(s.odkFormList), ""},
		{"GET", odkPath + "/forms/:code/:version/form.xml", "", s.odk(s.odkForm), ""},
		{"GET", odkPath + "/forms/:code/:version/manifest", "", s.odk(s.odkManifest), ""},
		{"GET", odkPath + "/forms/:code/:version/visits.csv", "", s.odk(s.odkVisits), ""},
		{"HEAD", odkPath + "/submission", "", s.odk(s.odkBefore), ""},
		{"POST", odkPath + "/submission", "", s.odk(s.odkSubmit), ""},
	}
}

// register gives the routes to Fiber, and what operators ask.
func (s *Server) register() {
	for _, r := range s.routes() {
		s.app.Add(r.method, r.path, s.door(r))
	}
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	s.app.Get("/readyz", func(c *fiber.Ctx) error {
		if err := s.svc.Ready(c.UserContext()); err != nil {
			return err
		}
		return c.SendString("ready\n")
	})
	s.app.Get("/metrics", s.metrics.handler())
	s.serveStatic()
}
