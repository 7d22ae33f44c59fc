namespace Overlay.Ctl.Audit;

internal enum AuditFormat
{
    Text,

    /// <summary>The records as they lie in the log.</summary>
    Json,

    /// <summary>ArcSight Common Event Format.</summary>
    Cef,

    /// <summary>RFC 5424, with the members as structured data.</summary>
    Syslog,
}
