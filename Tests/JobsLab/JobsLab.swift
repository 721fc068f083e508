@main enum JobsLab { static func main() async {} }
