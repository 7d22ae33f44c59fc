namespace Overlay.Metadata.Audit;

/// <summary>Who did it: the process at the other end of a connection, as the kernel says, or overlay-ctl itself.</summary>
/// <param name="Executable">By /proc when it first asked; "" if that does not tell (it has ended, or is another user's).</param>
public sealed record AuditSubject(uint UserId, uint GroupId, int ProcessId, string Executable);
