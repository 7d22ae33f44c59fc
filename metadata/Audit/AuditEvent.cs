using System;

namespace Overlay.Metadata.Audit;

/// <summary>Something that is to be recorded. What does not apply is null.</summary>
/// <param name="Kind">One of <see cref="AuditKinds"/>.</param>
/// <param name="Result">"ok", or what was answered instead.</param>
public sealed record AuditEvent(string Kind, AuditSubject Subject, string Result)
{
    public DateTimeOffset Time { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>16 bytes; several for keys that are handed out together.</summary>
    public byte[][] FileIds { get; init; } = [];

    /// <summary>Where the file was when the agent last heard of it, relative to the volume.</summary>
    public string? Path { get; init; }

    public string? Detail { get; init; }

    /// <summary>How often it happened, where repetitions are one record.</summary>
    public long Count { get; set; } = 1;
}
