namespace Overlay.Ctl.Doctor;

/// <param name="Group">What was looked at: system, program or volume.</param>
/// <param name="Name">Stable; docs/man/doctor.roff lists them.</param>
/// <param name="Remedy">Empty where nothing is to be done.</param>
internal sealed record Check(string Group, string Name, CheckState State, string Finding, string Remedy);
