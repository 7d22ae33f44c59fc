namespace Overlay.Metadata.Policy;

/// <summary>What is decided, and why.</summary>
/// <param name="Rule">The rule that decided; null: none matched, and the default did.</param>
/// <param name="Path">The path that it was decided by.</param>
public sealed record PolicyDecision(PolicyAction Action, PolicyRule? Rule, string Path)
{
    public bool GivesKey => Action is PolicyAction.Allow or PolicyAction.Audit;

    public string Reason => Rule is null ? "no rule matches; the default decides" : $"line {Rule.Line}: {Rule.Text}";
}
