using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text;
using Overlay.Ctl.Data;
using Overlay.Ctl.Terminal;

namespace Overlay.Ctl.Report;

/// <summary>A report as one page that needs nothing else and runs nothing.</summary>
internal static class HtmlReport
{
    private const int MostBars = 31;

    private const string Style = """
        body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2530; background: #fff }
        h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #cdd5de; padding-bottom: .2rem }
        table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid #e2e7ed }
        th { background: #f3f6f9 } .standing { white-space: nowrap; font-weight: 600 } .supported { color: #17693a } .attention { color: #a3480a } .notcovered { color: #5c6773 }
        .facts td:first-child { width: 14rem; color: #46525f } code { overflow-wrap: anywhere } figure { margin: 1rem 0 } figcaption { font-weight: 600; margin-bottom: .3rem }
        svg { max-width: 100%; height: auto; font-size: 13px } svg text { fill: #1d2530 } svg rect { fill: #3b6ea5 } .none { color: #5c6773 } .sum { display: flex; gap: 1rem; flex-wrap: wrap }
        .sum div { border: 1px solid #cdd5de; border-radius: 6px; padding: .6rem 1rem; min-width: 9rem } .sum b { display: block; font-size: 1.5rem }
        @media print { body { margin: 0; max-width: none } tr, figure { break-inside: avoid } }
        """;

    internal static string Write(Framework framework, Evidence e)
    {
        List<(Requirement Asked, Standing Standing, string Text)> rows = [.. framework.Requirements.Select(asked => (asked, asked.Judge(e).Standing, asked.Judge(e).Text))];
        StringBuilder page = new();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
            .Append($"<title>{Encode(framework.Title)}: {Encode(e.Root)}</title><style>{Style}</style></head><body>\n")
            .Append($"<h1>Encryption at rest: {Encode(framework.Title)}</h1><p>Volume <code>{Encode(e.Root)}</code>, {e.Made:yyyy-MM-dd HH:mm} UTC. ")
            .Append("What a requirement asks for is given in short; the standard's own words count. This page is evidence, not an assessment.</p>\n");
        WriteSum(page, rows, e);
        WriteRequirements(page, rows);
        WriteInventory(page, e);
        WriteKeys(page, e);
        WriteLog(page, e);
        return page.Append("</body></html>\n").ToString();
    }

    private static void WriteSum(StringBuilder page, List<(Requirement Asked, Standing Standing, string Text)> rows, Evidence e)
    {
        page.Append("<div class=\"sum\">");
        foreach ((string label, string value) in new[]
        {
            ("requirements supported", $"{rows.Count(row => row.Standing == Standing.Supported)}"), ("need attention", $"{rows.Count(row => row.Standing == Standing.Attention)}"),
            ("not covered", $"{rows.Count(row => row.Standing == Standing.NotCovered)}"), ("files sealed", $"{e.SealedFiles}"), ("files plain", $"{e.PlainCount}"),
            ("audit records", $"{e.AuditRecords}"),
        })
            page.Append($"<div><b>{value}</b>{label}</div>");
        page.Append("</div>\n");
    }

    private static void WriteRequirements(StringBuilder page, List<(Requirement Asked, Standing Standing, string Text)> rows)
    {
        page.Append("<h2>Requirements</h2><table><thead><tr><th>Requirement</th><th>Standing</th><th>Evidence</th><th>Not covered by it</th></tr></thead><tbody>\n");
        foreach ((Requirement asked, Standing standing, string text) in rows)
        {
            string verb = asked.Verb.Length > 0 ? $"<br><code>overlay-ctl {Encode(asked.Verb)}</code>" : "";
            page.Append($"<tr><td><b>{Encode(asked.Id)}</b><br>{Encode(asked.Asks)}</td><td class=\"standing {standing.ToString().ToLowerInvariant()}\">{Name(standing)}</td>")
                .Append($"<td>{Encode(text)}{verb}</td><td>{Encode(asked.NotCovered)}</td></tr>\n");
        }
        page.Append("</tbody></table>\n");
    }

    private static void WriteInventory(StringBuilder page, Evidence e)
    {
        page.Append("<h2>Inventory</h2><table class=\"facts\"><tbody>\n");
        Fact(page, "Volume", $"{e.Root} ({e.VolumeId}), made {e.VolumeCreated:yyyy-MM-dd}");
        Fact(page, "Store", e.StorePath);
        Fact(page, "New files", e.NewFiles);
        Fact(page, "Sealed files", $"{e.SealedFiles}, {Progress.Size(e.StoredBytes)} on the disk");
        Fact(page, "Plain files", e.PlainCount == 0 ? "none" : $"{e.PlainCount}: {string.Join(", ", e.Plain)}{(e.PlainCount > e.Plain.Count ? ", …" : "")}");
        Fact(page, "Of neither kind", $"{e.NotSound}");
        Fact(page, "Not looked at", $"{e.NotLookedAt}");
        page.Append("</tbody></table>\n").Append(SvgBars.Draw("Files by cipher", [.. e.FilesByCipher.Select(pair => (pair.Key, pair.Value))]));
    }

    private static void WriteKeys(StringBuilder page, Evidence e)
    {
        page.Append("<h2>Keys</h2>").Append(SvgBars.Draw("Files by the age of their keys", [.. Evidence.AgeNames.Zip(e.Ages)]));
        page.Append("<table><thead><tr><th>Volume key</th><th>State</th><th>Since</th></tr></thead><tbody>\n");
        foreach ((int version, string state, DateTimeOffset created) in e.VolumeKeys)
            page.Append($"<tr><td>version {version}</td><td>{Encode(state)}</td><td>{created:yyyy-MM-dd HH:mm}</td></tr>\n");
        page.Append("</tbody></table>\n<table><thead><tr><th>Key slot</th><th>Kind</th><th>Label</th><th>Since</th></tr></thead><tbody>\n");
        foreach ((int id, string kind, string label, DateTimeOffset created) in e.Slots)
            page.Append($"<tr><td>{id}</td><td>{Encode(kind)}</td><td>{Encode(label)}</td><td>{created:yyyy-MM-dd HH:mm}</td></tr>\n");
        page.Append("</tbody></table>\n");
    }

    private static void WriteLog(StringBuilder page, Evidence e)
    {
        page.Append("<h2>Access and administration</h2><table class=\"facts\"><tbody>\n");
        Fact(page, "Audit log", e.IsAuditOn ? $"on; records since {e.AuditSince}" : "off");
        Fact(page, "Verified", e.AuditFindings.Count == 0 ? $"{e.AuditRecords} records, nothing found" : string.Join("; ", e.AuditFindings));
        Fact(page, "Last verify of all files", e.LastVerify.Length > 0 ? e.LastVerify : "none is recorded");
        page.Append("</tbody></table>\n")
            .Append(SvgBars.Draw("Records by event", [.. e.Events.Select(pair => (pair.Key, pair.Value))]))
            .Append(SvgBars.Draw($"Key grants by day (the last {MostBars} with any)", [.. e.GrantsByDay.TakeLast(MostBars).Select(pair => (pair.Key, pair.Value))]))
            .Append(SvgBars.Draw("Key grants by program (the first 15)", Top(e.GrantsByProgram)))
            .Append(SvgBars.Draw("Key grants by user (the first 15)", Top(e.GrantsByUser)));
    }

    private static List<(string, long)> Top(Dictionary<string, long> counts)
    {
        const int Most = 15;
        return [.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(Most).Select(pair => (pair.Key, pair.Value))];
    }

    private static void Fact(StringBuilder page, string name, string text) => page.Append($"<tr><td>{Encode(name)}</td><td>{Encode(text)}</td></tr>\n");

    private static string Name(Standing standing) => standing switch { Standing.Supported => "supported", Standing.Attention => "attention", _ => "not covered" };

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
